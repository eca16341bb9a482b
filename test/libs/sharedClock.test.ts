import { describe, expect, it } from 'vitest'
import { sharedClock } from '#libs/sharedClock.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const hourMs = 3_600_000

/** A server whose clock is off by so much, and which takes so long for its answers, half of it each way. */
const serverOf = (clock: ReturnType<typeof createVirtualClock>, offMs: number, tookMs: readonly number[]) => {
  const left = [...tookMs]
  return {
    async timeMs() {
      const halfMs = (left.shift() ?? 0) / 2
      await clock.sleep(halfMs)
      const now = clock.steadyMs() + offMs
      await clock.sleep(halfMs)
      return now
    },
  }
}
const settled = async (offMs: number, ...tookMs: readonly number[]) => {
  const clock = createVirtualClock()
  const setting = sharedClock(clock, serverOf(clock, offMs, tookMs))
  await clock.advance(10_000)
  return { clock, shared: await setting }
}

describe('a clock that processes share', () => {
  it.each([hourMs, -hourMs, 0])('is that of the store, %s ms off our own', async (offMs) => {
    const { clock, shared } = await settled(offMs, 2, 2, 2, 2, 2)
    expect(shared.steadyMs()).toBe(clock.steadyMs() + offMs)
    await clock.advance(5_000)
    clock.stepWall(-hourMs)
    expect(shared.steadyMs()).toBe(clock.steadyMs() + offMs)
  })
  it('is set by the answer that came quickest', async () => {
    const { clock, shared } = await settled(hourMs, 900, 40, 4, 600, 80)
    expect(Math.abs(shared.steadyMs() - clock.steadyMs() - hourMs)).toBeLessThanOrEqual(2)
  })
  it('keeps its own wall clock, ids and timers', async () => {
    const { clock, shared } = await settled(hourMs)
    expect(shared.wallMs()).toBe(clock.wallMs())
    expect(shared.timer).toBe(clock.timer)
  })
  it('is our own where nobody shares the store', async () => {
    const clock = createVirtualClock()
    expect(await sharedClock(clock, {})).toBe(clock)
  })
})
