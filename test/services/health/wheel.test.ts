import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createWheel, type Timed } from '#services/health/wheel.ts'

interface Entry extends Timed {
  readonly name: string
}
const entry = (name: string): Entry => ({ name, slot: -1 })
const names = (entries: readonly Entry[]) => entries.map(({ name }) => name)

describe('the wheel', () => {
  it('brings up what is due, up to one slot late and never early', () => {
    const wheel = createWheel<Entry>(0, 100, 8)
    wheel.schedule(entry('a'), 250)
    expect(names(wheel.advance(299))).toEqual([])
    expect(names(wheel.advance(300))).toEqual(['a'])
    expect(names(wheel.advance(10_000))).toEqual([])
  })
  it('brings up what is overdue in the next slot', () => {
    const wheel = createWheel<Entry>(1_000, 100, 8)
    wheel.schedule(entry('a'), 3)
    expect(names(wheel.advance(1_050))).toEqual([])
    expect(names(wheel.advance(1_100))).toEqual(['a'])
  })
  it('brings up early what lies beyond its horizon, to be put back', () => {
    const wheel = createWheel<Entry>(0, 100, 8)
    wheel.schedule(entry('far'), 5_000)
    expect(names(wheel.advance(700))).toEqual(['far'])
  })
  it('forgets what is taken out, and holds one thing in one place', () => {
    const wheel = createWheel<Entry>(0, 100, 8)
    const [a, b] = [entry('a'), entry('b')]
    wheel.schedule(a, 200)
    wheel.schedule(a, 400)
    wheel.schedule(b, 200)
    wheel.remove(b)
    wheel.remove(b)
    expect(names(wheel.advance(300))).toEqual([])
    expect(names(wheel.advance(400))).toEqual(['a'])
    expect(a.slot).toBe(-1)
  })
  it('brings up everything after a long pause, each thing once', () => {
    const wheel = createWheel<Entry>(0, 100, 8)
    for (let n = 0; n < 7; n++) wheel.schedule(entry(`${n}`), n * 100)
    expect(names(wheel.advance(1_000_000)).toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    wheel.schedule(entry('next'), 1_000_150)
    expect(names(wheel.advance(1_000_200))).toEqual(['next'])
  })
  it('never loses anything, and never brings it up too early but at its horizon', () => {
    const steps = fc.array(fc.tuple(fc.nat(2_000), fc.nat(500)), { maxLength: 40 })
    fc.assert(
      fc.property(steps, (all) => {
        const wheel = createWheel<Entry & { dueMs: number }>(0, 100, 8)
        let nowMs = 0
        let waiting = 0
        for (const [aheadMs, passesMs] of all) {
          wheel.schedule({ name: 'x', slot: -1, dueMs: nowMs + aheadMs }, nowMs + aheadMs)
          waiting += 1
          nowMs += passesMs
          for (const due of wheel.advance(nowMs)) {
            waiting -= 1
            if (due.dueMs > nowMs + 100) wheel.schedule(due, due.dueMs)
            if (due.dueMs > nowMs + 100) waiting += 1
          }
        }
        expect(wheel.advance(nowMs + 10_000)).toHaveLength(waiting)
      }),
    )
  })
})
