import { beforeEach, describe, expect, it } from 'vitest'
import { createVirtualClock } from './virtualClock.ts'

let clock = createVirtualClock()
let said: string[] = []
const say = (what: string) => () => void said.push(`${what} at ${clock.steadyMs() - startMs}`)
let startMs = 0

beforeEach(() => {
  clock = createVirtualClock()
  startMs = clock.steadyMs()
  said = []
})

describe('the virtual clock', () => {
  it('stands still by itself', async () => {
    clock.timer(1, say('timer'))
    await clock.settle()
    expect(said).toEqual([])
    expect(clock.steadyMs()).toBe(startMs)
  })

  it('runs timers when they are due, in order, and first set first among equals', async () => {
    for (const [delayMs, name] of [
      [30, 'c'],
      [10, 'a'],
      [30, 'd'],
      [20, 'b'],
      [31, 'late'],
    ] as const)
      clock.timer(delayMs, say(name))
    await clock.advance(30)
    expect(said).toEqual(['a at 10', 'b at 20', 'c at 30', 'd at 30'])
    expect(clock.timers).toBe(1)
    expect(clock.steadyMs()).toBe(startMs + 30)
  })

  it('settles every promise between one timer and the next', async () => {
    const chain = async () => {
      for (let n = 0; n < 1_000; n++) await Promise.resolve()
      say('chain')()
    }
    clock.timer(1, () => void chain())
    clock.timer(2, say('next'))
    await clock.advance(5)
    expect(said).toEqual(['chain at 1', 'next at 2'])
  })

  it('runs timers that timers set, if they are due as well', async () => {
    clock.timer(10, () => clock.timer(5, () => clock.timer(0, say('third'))))
    await clock.advance(15)
    expect(said).toEqual(['third at 15'])
  })

  it('never runs a cancelled timer', async () => {
    const timers = Array.from({ length: 20 }, (_, n) => clock.timer(n, say(`${n}`)))
    for (const [n, timer] of timers.entries()) if (n !== 7) timer.cancel()
    timers[3]!.cancel()
    expect(clock.timers).toBe(1)
    await clock.advance(100)
    expect(said).toEqual(['7 at 7'])
    timers[7]!.cancel()
    expect(clock.timers).toBe(0)
  })

  it('runs until something holds, and no further', async () => {
    for (let n = 1; n <= 9; n++) clock.timer(n * 10, say(`${n}`))
    expect(await clock.run(() => said.length === 4, 1_000)).toBe(true)
    expect(clock.steadyMs()).toBe(startMs + 40)
    expect(await clock.run(() => said.length === 100, 1_000)).toBe(false)
    expect(said).toHaveLength(9)
    clock.timer(5_000, say('far'))
    expect(await clock.run(() => said.length === 10, 1_000)).toBe(false)
  })

  it('wakes a sleeper in time, or at once when it is told to', async () => {
    const stop = new AbortController()
    void clock.sleep(100).then(say('slept'))
    void clock.sleep(100, stop.signal).then(say('woken'))
    await clock.advance(50)
    stop.abort()
    await clock.settle()
    expect(said).toEqual(['woken at 50'])
    await clock.sleep(1_000, stop.signal)
    await clock.advance(50)
    expect(said).toEqual(['woken at 50', 'slept at 100'])
    expect(clock.timers).toBe(0)
  })

  it('moves the wall clock alone when that is stepped', async () => {
    clock.timer(10, say('timer'))
    clock.stepWall(-3_600_000)
    await clock.advance(10)
    expect(clock.wallMs()).toBe(startMs + 10 - 3_600_000)
    expect(said).toEqual(['timer at 10'])
  })

  it('has the same chance, bytes and ids for the same seed, and others for another', () => {
    const draw = (seed: number) => {
      const dice = createVirtualClock({ seed })
      return [dice.chance(), dice.id(), dice.id(), ...dice.bytes(4), dice.chance()]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })

  it('throws fair dice', () => {
    const throws = Array.from({ length: 10_000 }, () => clock.chance())
    const mean = throws.reduce((sum, each) => sum + each, 0) / throws.length
    expect(mean).toBeGreaterThan(0.48)
    expect(mean).toBeLessThan(0.52)
    expect(Math.min(...throws)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...throws)).toBeLessThan(1)
    expect(new Set([0, 1, 2].map((seed) => createVirtualClock({ seed }).chance())).size).toBe(3)
  })

  it('makes ids that are UUIDs of version 7, all different', () => {
    const ids = Array.from({ length: 5_000 }, () => clock.id())
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
