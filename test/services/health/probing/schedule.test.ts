import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { dueAfter, dueAgain } from '#services/health/probing/schedule.ts'

const id = fc.uuid()
const everyMs = fc.integer({ min: 1_000, max: 86_400_000 })
const atMs = fc.integer({ min: 0, max: 4_000_000_000_000 })

describe('when a machine is due', () => {
  it('is after now, and once in every interval, always at the same place', () =>
    fc.assert(
      fc.property(id, everyMs, atMs, (machineId, every, now) => {
        const due = dueAfter(machineId, every, now)
        expect(due).toBeGreaterThan(now)
        expect(due).toBeLessThanOrEqual(now + every)
        expect(dueAfter(machineId, every, due)).toBe(due + every)
        expect(dueAfter(machineId, every, due - 1)).toBe(due)
      }),
    ))
  it('is the same wherever and whenever that is asked, so a restart moves nothing', () =>
    fc.assert(
      fc.property(id, everyMs, atMs, fc.nat(), (machineId, every, now, later) => {
        const due = dueAfter(machineId, every, now)
        const asked = Math.min(now + later, due - 1)
        expect(dueAfter(machineId, every, asked)).toBe(due)
      }),
    ))
  it('is never sooner than half an interval after it was looked at, and never later than one and a half', () =>
    fc.assert(
      fc.property(id, everyMs, atMs, (machineId, every, looked) => {
        const again = dueAgain(machineId, every, looked)
        expect(again).toBeGreaterThan(looked + every / 2)
        expect(again).toBeLessThanOrEqual(looked + every * 1.5)
      }),
    ))
})

describe('ten thousand machines', () => {
  const clock = createVirtualClock({ seed: 7 })
  it.each([
    ['ids that are made one after the other', () => clock.id()],
    [
      'ids that only differ in a number',
      (
        () => (n: number) =>
          `web-${n}`
      )(),
    ],
  ])('are spread over the interval: %s', (_, idOf) => {
    const seconds = Array<number>(60).fill(0)
    for (let n = 0; n < 10_000; n++) seconds[Math.floor(dueAfter(idOf(n), 60_000, 0) / 1_000) % 60]! += 1
    // A fair share is 167; chance alone gives up to about 210.
    expect(Math.max(...seconds)).toBeLessThan(240)
    expect(Math.min(...seconds)).toBeGreaterThan(100)
  })
})
