import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { readGuard } from '#services/policy/guard.ts'
import { Returns, type Back } from '#services/policy/returns.ts'

const policy = EnvironmentPolicy.parse({})
const minuteMs = 60_000
const nowMs = 100 * minuteMs
const together = (count: number) => Array.from({ length: count }, () => nowMs - minuteMs)
const nobody: Back = { count: 0, firstAt: null, lastAt: null }
const read = (
  registered: number,
  unavailableSince: readonly number[],
  removedAt: readonly number[] = [],
  by = policy,
  back: Back = nobody,
) => readGuard(by, { domain: null, registered, unavailableSince, removedAt, back }, nowMs)

describe('the guard', () => {
  it.each([
    // machines, unavailable together, tripped, allowance
    [1, 1, false, Infinity],
    [2, 2, false, Infinity],
    [3, 3, true, 0],
    [10, 2, false, Infinity],
    [10, 3, true, 1],
    [10, 5, true, 1],
    [10, 6, true, 0],
    [100, 20, false, Infinity],
    [100, 21, true, 10],
    [100, 54, true, 10],
    [100, 55, true, 0],
    [100, 100, true, 0],
    [0, 0, false, Infinity],
  ])('of %i machines with %i silent: tripped %s, lets %d go', (registered, silent, tripped, allowance) => {
    expect(read(registered, together(silent))).toMatchObject({ tripped, allowance, unavailable: silent })
  })
  it('counts only those that went silent within one window of each other', () => {
    const apart = Array.from({ length: 30 }, (_, number) => nowMs - number * minuteMs)
    expect(read(100, apart)).toMatchObject({ unavailable: 6, tripped: false })
    const mixed = [...apart, ...Array.from({ length: 21 }, () => nowMs - 90 * minuteMs)]
    expect(read(100, mixed)).toMatchObject({ unavailable: 21, tripped: true })
  })
  it('stays tripped as long as they are silent, however long that is', () => {
    const longAgo = Array.from({ length: 30 }, () => 0)
    expect(read(100, longAgo)).toMatchObject({ tripped: true })
  })
  it('lets a tenth go in ten minutes, and counts what it has let go', () => {
    const removedAt = [nowMs - 11 * minuteMs, nowMs - 9 * minuteMs, nowMs - minuteMs]
    expect(read(100, together(30), removedAt).allowance).toBe(8)
    expect(
      read(
        100,
        together(30),
        Array.from({ length: 20 }, () => nowMs),
      ).allowance,
    ).toBe(0)
  })
  it('lets none go while many come back, for the others are most likely on their way', () => {
    const back = (count: number, lastAt = nowMs): Back => ({ count, firstAt: nowMs - minuteMs, lastAt })
    const recovering = (...given: Parameters<typeof back>) => read(100, together(30), [], policy, back(...given))
    expect(recovering(2)).toMatchObject({ allowance: 10, isRecovering: false, isTail: false })
    expect(recovering(3)).toMatchObject({ allowance: 0, isRecovering: true, isTail: true })
    expect(recovering(3).clearsWhen).toMatch(/until then none is removed$/)
    // Those that fell silent after the last one had come back are another outage, and not the tail of this one.
    expect(recovering(3, nowMs - 2 * minuteMs)).toMatchObject({ allowance: 0, isRecovering: true, isTail: false })
    expect(read(100, together(20), [], policy, back(80))).toMatchObject({ tripped: false, isRecovering: false })
  })
  it('can be switched off', () => {
    const off = EnvironmentPolicy.parse({ guard: { enabled: false } })
    expect(read(10, together(10), [], off)).toMatchObject({ tripped: false, allowance: Infinity })
  })
  it('says what it is waiting for', () =>
    expect(read(10, together(5)).clearsWhen).toBe(
      'at most 20 % of the machines, or 2, are unavailable together, or a person releases it; ' +
        'until then at most 1 in 10 min are',
    ))
  it('says that nothing goes on meanwhile at a full stop, and which machines are meant', () => {
    const domain = { attribute: 'zone', value: 'a' }
    const outage = { domain, registered: 10, unavailableSince: together(6), removedAt: [], back: nobody }
    const reading = readGuard(policy, outage, nowMs)
    expect(reading.clearsWhen).toBe(
      'at most 20 % of the machines with zone a, or 2, are unavailable together, or a person releases it; ' +
        'until then none is removed',
    )
  })

  const instants = fc.array(fc.integer({ min: 0, max: nowMs }), { maxLength: 120 })
  it('never lets more go when more machines are silent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), instants, instants, instants, (spare, silent, more, removed) => {
        const registered = silent.length + more.length + spare
        const small = read(registered, silent, removed)
        const large = read(registered, [...silent, ...more], removed)
        expect(large.allowance).toBeLessThanOrEqual(small.allowance)
        expect(large.tripped).toBe(large.tripped || small.tripped)
      }),
    )
  })
  it('never holds back as few as the floor says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 50 }), (floor, registered) => {
        const floored = EnvironmentPolicy.parse({ guard: { floor } })
        const silent = Math.min(floor, registered)
        expect(read(registered, together(silent), [], floored).tripped).toBe(false)
      }),
    )
  })
})

describe('machines that come back', () => {
  it('are counted once each, from a moment on, and by failure domain', () => {
    const returns = new Returns()
    for (const [machineId, domainValue, at] of [
      ['m', 'a', 1],
      ['n', 'b', 5],
      ['m', 'a', 7],
      ['o', undefined, 9],
    ] as const)
      returns.add({ machineId, domainValue, at })
    expect(returns.since(0)).toEqual({ count: 3, firstAt: 1, lastAt: 9 })
    expect(returns.since(5)).toEqual({ count: 2, firstAt: 7, lastAt: 9 })
    expect(returns.since(0, 'a')).toEqual({ count: 1, firstAt: 1, lastAt: 7 })
    expect(returns.since(9)).toEqual({ count: 0, firstAt: null, lastAt: null })
  })
})
