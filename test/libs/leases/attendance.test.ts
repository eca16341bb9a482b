import { describe, expect, it } from 'vitest'
import { Attendance } from '#libs/leases/attendance.ts'

const limits = { ttlMs: 5_000, lookEveryMs: 1_000 }

/** Looks every second; `signs` says what stands on the roster at that time. */
class Watch {
  nowMs = 0
  readonly attendance = new Attendance({ steadyMs: () => this.nowMs }, limits)

  look(members: Record<string, number>): readonly string[] {
    this.attendance.read({ members, holders: {} })
    return [...this.attendance.gone()]
  }
  pass(ms: number): this {
    this.nowMs += ms
    return this
  }
}

describe('a process', () => {
  it('is gone when its sign has not changed for long enough, by our clock', () => {
    const watch = new Watch()
    const seen = Array.from({ length: 7 }, () => {
      const gone = watch.look({ a: 7 })
      watch.pass(1_000)
      return gone.length
    })
    expect(seen).toEqual([0, 0, 0, 0, 0, 1, 1])
  })
  it('is there as long as its sign changes', () => {
    const watch = new Watch()
    for (let sign = 0; sign < 20; sign++) expect(watch.pass(1_000).look({ a: sign })).toEqual([])
  })
  it('that comes back counts as there at once', () => {
    const watch = new Watch()
    for (let second = 0; second < 8; second++) watch.pass(1_000).look({ a: 1 })
    expect(watch.look({ a: 1 })).toEqual(['a'])
    expect(watch.look({ a: 2 })).toEqual([])
  })
  it('that has left is neither there nor gone', () => {
    const watch = new Watch()
    for (let second = 0; second < 8; second++) watch.pass(1_000).look({ a: 1 })
    expect(watch.look({})).toEqual([])
  })
  it('is not charged for time in which nobody could look', () => {
    const watch = new Watch()
    watch.look({ a: 1 })
    expect(watch.pass(60_000).look({ a: 1 })).toEqual([])
    expect(watch.pass(1_000).look({ a: 1 })).toEqual([])
    for (let second = 0; second < 4; second++) watch.pass(1_000).look({ a: 1 })
    expect(watch.look({ a: 1 })).toEqual(['a'])
  })
})
