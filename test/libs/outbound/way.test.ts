import { describe, expect, it } from 'vitest'
import { Way } from '#libs/outbound/way.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const setOut = () => {
  const clock = createVirtualClock()
  const cancel = new AbortController()
  return { clock, cancel, way: new Way(clock, 1_000, cancel.signal) }
}

describe('the deadline of a look', () => {
  it('says how far it had got', async () => {
    const { clock, way } = setOut()
    await clock.advance(400)
    expect(way.restMs).toBe(600)
    way.step = 'answer'
    await clock.advance(600)
    expect(await way.cutShort).toEqual({ seen: 'deadline', step: 'answer', timeoutMs: 1_000 })
    expect(way.restMs).toBe(0)
  })
  it('that comes late itself says that this process stood still', async () => {
    const { clock, way } = setOut()
    const { steadyMs } = clock
    clock.steadyMs = () => steadyMs() + 5_000
    await clock.advance(1_000)
    expect(await way.cutShort).toEqual({ seen: 'stall', lateMs: 5_000 })
  })
  it('is not waited for when the look is cancelled, before or on the way', async () => {
    const { cancel, way, clock } = setOut()
    cancel.abort()
    expect(await way.cutShort).toEqual({ seen: 'fault', code: 'ECANCELED' })
    const never = new Way(clock, 1_000, AbortSignal.abort())
    expect(await never.cutShort).toEqual({ seen: 'fault', code: 'ECANCELED' })
  })
  it('leaves nothing behind when the look ends before it', () => {
    const { clock, way } = setOut()
    way.end()
    expect(clock.timers).toBe(0)
    expect(way.signal.aborted).toBe(true)
  })
})
