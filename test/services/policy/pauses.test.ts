import { expect, it } from 'vitest'
import { Pauses } from '#services/policy/pauses.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const sweepMs = 1_000

it('is settled as long as sweeps come in time', async () => {
  const clock = createVirtualClock()
  const pauses = new Pauses(clock, sweepMs)
  for (let sweep = 0; sweep < 10; sweep++) {
    await clock.advance(sweepMs + 500)
    expect(pauses.isUnsettled).toBe(false)
    pauses.swept()
  }
})

it('is unsettled when a sweep is overdue, and for a moment after it has come', async () => {
  const clock = createVirtualClock()
  const pauses = new Pauses(clock, sweepMs)
  await clock.advance(60_000)
  expect(pauses.isUnsettled).toBe(true)
  pauses.swept()
  expect(pauses.isUnsettled).toBe(true)
  await clock.advance(sweepMs)
  pauses.swept()
  expect(pauses.isUnsettled).toBe(true)
  await clock.advance(3_000)
  expect(pauses.isUnsettled).toBe(false)
})
