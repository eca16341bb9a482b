import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentCheck } from '#contracts/agent.ts'
import { setAlarm } from '#services/agent/checks/alarm.ts'
import { nextRunMs } from '#services/agent/checks/schedule.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const instant = fc.integer({ min: 1_500_000_000_000, max: 2_500_000_000_000 })
const interval = fc.integer({ min: 1_000, max: 7 * 86_400_000 })
const machine = fc.stringMatching(/^m-[0-9a-f]{20}$/)
const every = (everyMs: number, name = 'disk') => ({ name, everyMs })

describe('the schedule of an interval', () => {
  it('comes once in every interval, whenever one begins to look, as after a restart', () => {
    const law = fc.property(machine, interval, instant, fc.nat(), (machineId, everyMs, atMs, later) => {
      const next = nextRunMs(every(everyMs), machineId, atMs)!
      expect(next).toBeGreaterThan(atMs)
      expect(next - atMs).toBeLessThanOrEqual(everyMs)
      // Whoever looks again before then finds the same, and whoever looks then finds the one after it.
      expect(nextRunMs(every(everyMs), machineId, atMs + (later % (next - atMs)))).toBe(next)
      expect(nextRunMs(every(everyMs), machineId, next)).toBe(next + everyMs)
    })
    fc.assert(law)
  })

  it('spreads machines over the interval, and the checks of one machine as well', () => {
    const [everyMs, parts, count] = [60_000, 10, 2_000]
    for (const next of [
      (at: number) => nextRunMs(every(everyMs), `m-${at}`, 0)!,
      (at: number) => nextRunMs(every(everyMs, `check-${at}`), 'm-1', 0)!,
    ]) {
      const inPart = Array.from({ length: parts }, () => 0)
      for (let at = 0; at < count; at++) inPart[Math.floor((next(at) - 1) / (everyMs / parts))]! += 1
      expect(Math.min(...inPart)).toBeGreaterThan((0.7 * count) / parts)
      expect(Math.max(...inPart)).toBeLessThan((1.3 * count) / parts)
    }
  })
})

describe('the schedule of a cron rule', () => {
  it('is the same for all machines, on the minute, and never at once', () => {
    const law = fc.property(machine, instant, (machineId, atMs) => {
      const next = nextRunMs({ name: 'disk', cron: '*/5 * * * *' }, machineId, atMs)!
      expect(next).toBe((Math.floor(atMs / 300_000) + 1) * 300_000)
    })
    fc.assert(law, { numRuns: 50 })
  })

  it('never comes when neither an interval nor a time is named', () => {
    expect(nextRunMs({ name: 'disk' }, 'm-1', 0)).toBeNull()
    expect(nextRunMs({ name: 'disk', cron: '0 0 30 2 *' }, 'm-1', 0)).toBeNull()
  })
})

describe('an alarm', () => {
  const check = (more: Partial<AgentCheck>): AgentCheck => ({
    ...{ name: 'disk', interpreter: 'bash', script: 'true', timeoutMs: 1_000, retries: 0 },
    ...more,
  })
  const startMs = Date.parse('2026-01-02T21:30:00.000Z')

  it('rings at the time of the rule, once, and not when it is set', async () => {
    const clock = createVirtualClock({ startMs })
    let rings = 0
    setAlarm(clock, check({ cron: '0 22 * * *' }), 'm-1', () => (rings += 1))
    await clock.advance(30 * 60_000 - 1)
    expect(rings).toBe(0)
    await clock.advance(1)
    expect(rings).toBe(1)
    await clock.advance(48 * 3_600_000)
    expect(rings).toBe(1)
  })

  it('goes by the calendar also when the clock is set forward or back', async () => {
    const clock = createVirtualClock({ startMs })
    let rings = 0
    const set = () => setAlarm(clock, check({ cron: '0 22 * * *' }), 'm-1', () => (rings += 1))
    set()
    clock.stepWall(25 * 60_000)
    await clock.advance(5 * 60_000)
    expect(rings).toBe(1)
    set()
    clock.stepWall(-3_600_000)
    await clock.advance(60 * 60_000)
    expect(rings).toBe(2)
  })

  it('does not ring when it is cancelled, and does not ring a rule that never comes', async () => {
    const clock = createVirtualClock({ startMs })
    const ring = () => expect.unreachable()
    setAlarm(clock, check({ everyMs: 1_000 }), 'm-1', ring)!.cancel()
    expect(setAlarm(clock, check({ cron: '0 0 30 2 *' }), 'm-1', ring)).toBeNull()
    await clock.advance(10_000)
  })
})
