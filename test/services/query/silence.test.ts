import { expect, it } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import { api } from './api.ts'
import * as f from './facts.ts'

/** A machine that went silent at the fifth millisecond of the steady clock, which says `nowMs`. */
async function silent(nowMs: number) {
  const it = await api({ clock: { ...systemClock, steadyMs: () => nowMs } })
  await it.tell('machine-a', f.registered('a'))
  await it.tell('health-a', f.unavailable('a'))
  return it
}
const silenceIn = async ({ get }: Awaited<ReturnType<typeof silent>>) => (await get('/v1/machines/a')).body.silence

it('is gone as long as it is observed where nothing was missed', async () => {
  expect(await silenceIn(await silent(1_005))).toMatchObject({ goneMs: 1_000, observedMs: 1_000 })
})
it('counts as observed only what was, all observers together', async () => {
  const it = await silent(1_005)
  await it.tell('observer-health', f.gapStarted('health', 100), f.gapEnded('health', 100, 300))
  await it.tell('observer-health.1', f.gapStarted('health.1', 200), f.gapEnded('health.1', 200, 400))
  expect(await silenceIn(it)).toMatchObject({ goneMs: 1_000, observedMs: 700 })
  await it.tell('observer-health', f.gapStarted('health', 900))
  expect(await silenceIn(it)).toMatchObject({ goneMs: 1_000, observedMs: 595 })
  expect((await it.get('/v1/machines/a/explain')).body.silence).toMatchObject({ goneMs: 1_000, observedMs: 595 })
})
it('is not lengthened by breaks before it', async () => {
  const it = await silent(1_005)
  await it.tell('observer-health', f.gapStarted('health', 1), f.gapEnded('health', 1, 4))
  expect(await silenceIn(it)).toMatchObject({ goneMs: 1_000, observedMs: 1_000 })
})
it('is none of a machine that answers', async () => {
  const it = await silent(1_005)
  await it.tell('health-a', f.healthy('a'))
  expect(await silenceIn(it)).toBeNull()
})
