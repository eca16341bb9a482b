import { describe, expect, it } from 'vitest'
import { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { environmentId, member, nowMs, silent, worldOf } from './world.ts'

const tenMs = 600_000
const others = Array.from({ length: 9 }, (_, number) => member(`o-${number}`))
const manyAway = (count: number) => others.map((one, index) => (index < count ? silent(one.machineId, 30_000) : one))
const decidedAt = nowMs - 5_000
const requested: PolicyEvent = {
  type: 'RemovalRequested',
  data: {
    ...{ environmentId, machineId: 's', decisionId: 'd-1', at: decidedAt, rule: 'unavailable' as const },
    ...{ unavailableSince: nowMs - tenMs, observedMs: tenMs, thresholdMs: tenMs },
    ...{ policyVersion: 3, deploymentId: null },
  },
}
const detected = (at: number, domain: { attribute: string; value: string } | null = null): PolicyEvent => ({
  type: 'MassFailureDetected',
  data: {
    ...{ environmentId, incidentId: 'i-1', domain, at, machineIds: ['s'] },
    ...{ unavailable: 3, registered: 10, share: 0.3, thresholdShare: 0.2, policyVersion: 3 },
  },
})
const due = silent('s', tenMs)

/** What the last look before the removal finds. */
const look = (
  setting: Parameters<typeof worldOf>[0],
  past: readonly PolicyEvent[] = [requested],
  decisionId = 'd-1',
) => {
  const request = { environmentId, machineId: 's', decisionId, world: worldOf(setting), nowMs, wallMs: nowMs }
  const found = policy.decide({ type: 'LookAgain', ...request, newId: 'i-9' }, replay(policy, past))
  if (isRefusal(found)) throw new Error(found.detail)
  for (const fact of found) expect(PolicyEvent.parse(fact)).toEqual(fact)
  return found
}
const types = (...asked: Parameters<typeof look>) => look(...asked).map(({ type }) => type)

describe('the last look before a removal', () => {
  it('lets it go on when all is as it was', () => expect(look({ members: [due, ...others] })).toEqual([]))
  it('stops it when a mass failure began meanwhile, and says what holds the machine', () => {
    const found = look({ members: [due, ...manyAway(3)] })
    expect(found).toMatchObject([
      {
        type: 'MassFailureDetected',
        data: { incidentId: 'i-9', domain: null, unavailable: 3, machineIds: ['o-0', 'o-1', 'o-2'] },
      },
      { type: 'RemovalAbandoned', data: { machineId: 's', detail: 'a mass failure began' } },
      {
        type: 'RemovalWithheld',
        data: { machineId: 's', incidentId: 'i-9', domain: null, at: nowMs, thresholdShare: 0.2 },
      },
    ])
  })
  it('stops it when that has been told already, but after the decision', () =>
    expect(types({ members: [due, ...manyAway(3)] }, [requested, detected(decidedAt + 1)])).toEqual([
      ...['RemovalAbandoned', 'RemovalWithheld'],
    ]))
  it('lets it go on when a tripped guard had let it go at its rate', () =>
    expect(types({ members: [due, ...manyAway(3)] }, [detected(decidedAt), requested])).toEqual([]))
  it('stops even that at a full stop', () =>
    expect(types({ members: [due, ...manyAway(6)] }, [detected(decidedAt), requested])).toEqual([
      ...['RemovalAbandoned', 'RemovalWithheld'],
    ]))
  it('lets go on whom a person let go, whatever happens', () => {
    const released: PolicyEvent = { type: 'RemovalsResumed', data: { environmentId, machineIds: ['s'], by: 'person' } }
    expect(types({ members: [due, ...manyAway(9)] }, [released, requested])).toEqual([])
  })
  it('stops it for a failure of its own domain, and not for one of another', () => {
    const zoned = (value: string, count: number) =>
      Array.from({ length: count }, (_, n) => member(`${value}-${n}`, { attributes: { zone: value } }))
    const away = (value: string, count: number) =>
      Array.from({ length: count }, (_, n) => silent(`gone-${value}-${n}`, 30_000, { attributes: { zone: value } }))
    const one = { ...due, attributes: { zone: 'a' } }
    const calm = [...zoned('a', 10), ...zoned('b', 40)]
    expect(types({ members: [one, ...calm, ...away('b', 9)] })).toEqual([])
    expect(look({ members: [one, ...calm, ...away('a', 3)] })).toMatchObject([
      { type: 'MassFailureDetected', data: { domain: { attribute: 'zone', value: 'a' }, registered: 14 } },
      { type: 'RemovalAbandoned' },
      { type: 'RemovalWithheld', data: { domain: { attribute: 'zone', value: 'a' }, incidentId: 'i-9' } },
    ])
  })
  it.each([
    ['it answers', { members: [member('s'), ...others] }, ['RemovalAbandoned']],
    ['nobody observes any more', { members: [due, ...others], since: null }, ['RemovalAbandoned']],
    ['a gap is known by now', { members: [due, ...others], gapMs: 1 }, ['RemovalAbandoned']],
    ['it is disabled', { members: [{ ...due, enabled: false }, ...others] }, ['RemovalAbandoned']],
    [
      'it is protected by now',
      { members: [due, ...others], settings: { dynamicRegistration: { protectedLabels: ['web'] } } },
      ['RemovalAbandoned', 'RemovalDeferred'],
    ],
  ])('stops it when %s', (_, setting, expected) => expect(types(setting)).toEqual(expected))
  it('has nothing to say of a machine that is gone already', () =>
    expect(types({ members: [{ ...due, registered: false }] })).toEqual([]))
  it('has nothing to say of what does not stand', () => {
    const setting = { members: [due, ...manyAway(9)] }
    expect(types(setting, [requested], 'd-0')).toEqual([])
    expect(types(setting, [])).toEqual([])
    const abandoned = {
      type: 'RemovalAbandoned',
      data: { environmentId, machineId: 's', detail: 'x', at: nowMs },
    } as const
    expect(types(setting, [requested, abandoned])).toEqual([])
  })
})
