import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'

describe('the system clock', () => {
  it('keeps steady time when the wall clock is moved', () => {
    const before = systemClock.steadyMs()
    vi.setSystemTime(0)
    try {
      expect(systemClock.wallMs()).toBeLessThan(1_000)
      expect(systemClock.steadyMs()).toBeGreaterThanOrEqual(before)
      expect(systemClock.steadyMs() - before).toBeLessThan(60_000)
    } finally {
      vi.useRealTimers()
    }
  })
  it('starts steady time at the wall clock of the process start', () => {
    expect(Math.abs(systemClock.steadyMs() - systemClock.wallMs())).toBeLessThan(60_000)
  })
  it('fires a timer once its delay is over, and not before', async () => {
    const startedMs = systemClock.steadyMs()
    await new Promise<void>((resolve) => void systemClock.timer(20, resolve))
    expect(systemClock.steadyMs() - startedMs).toBeGreaterThanOrEqual(19)
  })
  it('does not fire a cancelled timer, nor one that is longer than Node can count', async () => {
    const fired = vi.fn()
    systemClock.timer(5, fired).cancel()
    const long = systemClock.timer(40 * 86_400_000, fired)
    await systemClock.sleep(20)
    long.cancel()
    expect(fired).not.toHaveBeenCalled()
  })
  it('wakes a sleeper at once when it is told to', async () => {
    const stop = new AbortController()
    const asleep = systemClock.sleep(60_000, stop.signal)
    stop.abort()
    await asleep
    await systemClock.sleep(60_000, stop.signal)
  })
  it('makes ids that are unique and ordered by time', async () => {
    const first = systemClock.id()
    await systemClock.sleep(3)
    expect(systemClock.id() > first).toBe(true)
  })
})
