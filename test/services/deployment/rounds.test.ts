import { expect, it } from 'vitest'
import { Rounds } from '#services/deployment/rounds.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

function roundsOver(count: number) {
  const clock = createVirtualClock()
  const seen: string[] = []
  const rounds = new Rounds(clock, (ids) => void seen.push(...ids))
  const all = Array.from({ length: count }, (_, at) => `d-${at}`)
  const looked = () => seen.splice(0)
  return { clock, rounds, all, looked }
}

it('looks at a few at once, and at the next after a pause', async () => {
  const { clock, rounds, all, looked } = roundsOver(60)
  const done = rounds.begin(all)
  expect(looked()).toEqual(all.slice(0, 25))
  await clock.advance(19)
  expect(looked()).toEqual([])
  await clock.advance(1)
  expect(looked()).toEqual(all.slice(25, 50))
  await clock.advance(20)
  expect(looked()).toEqual(all.slice(50))
  await done
})

it('leaves those that are too many to the next rounds, and begins again after the last', async () => {
  const { clock, rounds, all, looked } = roundsOver(700)
  for (const expected of [all.slice(0, 500), all.slice(500), all.slice(0, 500)]) {
    const done = rounds.begin(all)
    await clock.advance(1_000)
    await done
    expect(looked()).toEqual(expected)
  }
})

it('looks at nobody any more once it is stopped', async () => {
  const { clock, rounds, all, looked } = roundsOver(60)
  const done = rounds.begin(all)
  rounds.stop()
  await done
  await clock.advance(1_000)
  expect(looked()).toEqual(all.slice(0, 25))
})
