import { describe, expect, it } from 'vitest'
import { Watchdog } from '#services/health/watchdog.ts'

const thresholds = { lateAfterMs: 30_000, unavailableAfterMs: 60_000 }

/** A watchdog that is told the time four times a second, and what it said, as `type machine at second`. */
class Watch {
  readonly dog = new Watchdog('health', 0)
  readonly said: string[] = []
  nowMs = 0

  watch(machineId = 'm', status: 'unknown' | 'healthy' | 'unavailable' = 'healthy', with_ = thresholds): this {
    this.dog.watch(machineId, status, with_, this.nowMs)
    return this
  }
  hear(machineId = 'm'): string | undefined {
    const heard = this.dog.hear(machineId, 'g', this.nowMs)
    return typeof heard === 'object' ? heard?.type : heard
  }
  pass(ms: number): this {
    const until = this.nowMs + ms
    while (this.nowMs < until) {
      this.nowMs = Math.min(until, this.nowMs + 250)
      for (const { type, data } of this.dog.tick(this.nowMs))
        this.said.push(`${type} ${data.machineId} ${this.nowMs / 1000}`)
    }
    return this
  }
}

describe('the watchdog', () => {
  it('says that a machine is late, and then that it does not answer', () =>
    expect(new Watch().watch().pass(300_000).said).toEqual(['RecordLate m 30', 'RecordSilent m 60']))
  it('says nothing of a machine that gives signs of life', () => {
    const one = new Watch().watch()
    for (let beat = 0; beat < 30; beat++) {
      one.pass(10_000)
      expect(one.hear()).toBeUndefined()
    }
    expect(one.said).toEqual([])
  })
  it('counts silence from the last sign of life', () => {
    const one = new Watch().watch().pass(20_000)
    one.hear()
    one.pass(100_000)
    expect(one.said).toEqual(['RecordLate m 50', 'RecordSilent m 80'])
  })
  it('says it when a machine is heard for the first time, or again', () => {
    const one = new Watch().watch('m', 'unknown')
    expect([one.hear(), one.hear()]).toEqual(['RecordHeard', undefined])
    one.pass(60_000)
    expect([one.hear(), one.hear()]).toEqual(['RecordHeard', undefined])
    one.pass(60_000)
    expect(one.said.at(-1)).toBe('RecordSilent m 120')
  })
  it('says late anew after each sign of life, and not unavailable of one that is back in time', () => {
    const one = new Watch().watch().pass(40_000)
    one.hear()
    one.pass(40_000)
    expect(one.said).toEqual(['RecordLate m 30', 'RecordLate m 70'])
  })
  it('says nothing more of one that does not answer, and waits for it', () => {
    const one = new Watch().watch('m', 'unavailable').pass(600_000)
    expect(one.said).toEqual([])
    expect(one.hear()).toBe('RecordHeard')
    one.pass(60_000)
    expect(one.said).toEqual(['RecordLate m 630', 'RecordSilent m 660'])
  })
  it('gives one that it watches anew a whole grace', () => {
    const one = new Watch().watch().pass(50_000).watch()
    expect(one.dog.silentMs('m', one.nowMs)).toBe(0)
    one.pass(59_000)
    expect(one.said).toEqual(['RecordLate m 30', 'RecordLate m 80'])
  })
  it('says nothing of one that it watches no more, and hears nothing of it', () => {
    const one = new Watch().watch()
    one.dog.unwatch('m')
    expect([one.hear(), one.dog.silentMs('m', 5), one.dog.isSilent('m', 1e9)]).toEqual(['not-watched', null, false])
    expect([one.pass(100_000).said, one.dog.size]).toEqual([[], 0])
  })
  it('can say when asked how long the silence has lasted, and whether it counts', () => {
    const one = new Watch().watch()
    expect([one.dog.silentMs('m', 59_999), one.dog.isSilent('m', 59_999)]).toEqual([59_999, false])
    expect([one.dog.silentMs('m', 60_000), one.dog.isSilent('m', 60_000)]).toEqual([60_000, true])
  })
  it('gives its evidence', () => {
    const one = new Watch().watch().pass(1_000)
    one.hear()
    one.nowMs = 61_000
    expect(one.dog.tick(61_000)).toEqual([
      {
        type: 'RecordSilent',
        data: {
          ...{ machineId: 'm', at: 61_000 },
          evidence: {
            ...{ kind: 'heartbeat-missing', lastHeardAt: 1_000, silentMs: 60_000 },
            ...{ thresholdMs: 60_000, observerId: 'health' },
          },
        },
      },
    ])
  })
})

describe('time in which nobody listened', () => {
  it('is nobody’s silence', () => {
    const one = new Watch().watch().pass(20_000)
    one.nowMs += 3_600_000
    one.dog.forgive(3_600_000)
    one.pass(9_750)
    expect(one.said).toEqual([])
    one.pass(250)
    expect(one.said).toEqual(['RecordLate m 3630'])
    expect(one.dog.silentMs('m', one.nowMs)).toBe(30_000)
  })
  it('counts no more than it was, for those that are heard as well', () => {
    const one = new Watch().watch().watch('n')
    one.nowMs += 100_000
    one.dog.forgive(100_000)
    one.hear('n')
    one.pass(60_000)
    expect(one.said).toEqual([
      ...['RecordLate m 130', 'RecordLate n 130'],
      ...['RecordSilent m 160', 'RecordSilent n 160'],
    ])
  })
})

describe('thresholds that change', () => {
  it('count at once when they are shorter', () => {
    const one = new Watch().watch().pass(20_000)
    one.dog.setThresholds('m', { lateAfterMs: 5_000, unavailableAfterMs: 10_000 })
    expect(one.pass(1_000).said).toEqual(['RecordSilent m 20.25'])
  })
  it('count at once when they are longer', () => {
    const one = new Watch().watch().pass(20_000)
    one.dog.setThresholds('m', { lateAfterMs: 40_000, unavailableAfterMs: 90_000 })
    expect(one.pass(100_000).said).toEqual(['RecordLate m 40', 'RecordSilent m 90'])
  })
  it('bring nobody back who does not answer, but count when it is back', () => {
    const one = new Watch().watch().pass(60_000)
    one.dog.setThresholds('m', { lateAfterMs: 100_000, unavailableAfterMs: 200_000 })
    expect(one.pass(300_000).said).toHaveLength(2)
    expect(one.hear()).toBe('RecordHeard')
    one.pass(100_000)
    expect(one.said.at(-1)).toBe('RecordLate m 460')
  })
  it('of nobody change nothing', () => {
    const one = new Watch()
    one.dog.setThresholds('x', thresholds)
    expect(one.dog.size).toBe(0)
  })
  it('that make no sense still find the silent', () =>
    expect(
      new Watch().watch('m', 'healthy', { lateAfterMs: 60_000, unavailableAfterMs: 10_000 }).pass(60_000).said,
    ).toEqual(['RecordSilent m 10']))
})

describe('what was recorded', () => {
  it('is what counts where it differs from what was meant to be', () => {
    const one = new Watch().watch('m', 'healthy')
    one.dog.correct('m', 'unavailable')
    expect(one.hear()).toBe('RecordHeard')
    one.pass(60_000)
    one.dog.correct('m', 'healthy')
    expect(one.pass(1_000).said.at(-1)).toBe('RecordSilent m 60.25')
  })
  it('of one that nobody watches is no matter', () => {
    const one = new Watch()
    one.dog.correct('m', 'healthy')
    expect(one.dog.size).toBe(0)
  })
})

describe('a hundred thousand machines', () => {
  it('are watched, and those that fall silent are found when they do', () => {
    const count = 100_000
    const dog = new Watchdog('health', 0)
    const names = Array.from({ length: count }, (_, n) => `m-${n}`)
    for (const name of names) dog.watch(name, 'healthy', thresholds, 0)
    const silent = new Map<string, number>()
    for (let nowMs = 250; nowMs <= 130_000; nowMs += 250) {
      // Every twentieth second all are heard but one in a thousand.
      if (nowMs % 20_000 === 0) for (const [n, name] of names.entries()) if (n % 1_000 !== 0) dog.hear(name, 'g', nowMs)
      for (const { type, data } of dog.tick(nowMs)) if (type === 'RecordSilent') silent.set(data.machineId, nowMs)
    }
    expect(silent.size).toBe(100)
    expect(new Set(silent.values())).toEqual(new Set([60_000]))
    expect(dog.size).toBe(count)
  })
})
