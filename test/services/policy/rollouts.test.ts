import { describe, expect, it } from 'vitest'
import { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { specify } from '#test/support/spec.ts'
import { environmentId, evaluate, has, member, nowMs, wants } from './world.ts'

const given = specify(policy)
const minuteMs = 60_000
const deploymentId = '00000000-0000-4000-8000-000000000000'
const rollout = { environmentId, projectId: 'shop', version: '1.0' }
type FactOf<Type extends string> = Extract<PolicyEvent, { type: Type }>

const requested = (machineIds: readonly string[], changes: object = {}): PolicyEvent => ({
  type: 'AutomaticDeploymentRequested',
  data: { ...rollout, deploymentId, machineIds, waitedMs: 3_600_000, ...changes },
})
const settled = (succeeded: readonly string[], failed: readonly string[], at = nowMs): PolicyEvent => ({
  type: 'AutomaticDeploymentSettled',
  data: { ...rollout, deploymentId, succeeded, failed, at },
})
const abandoned = (at: number, detail = 'no'): PolicyEvent => ({
  type: 'AutomaticDeploymentAbandoned',
  data: { environmentId, deploymentId, detail, at },
})
const skipped = (machineId: string, clause: FactOf<'AutomaticDeploymentSkipped'>['data']['clause']): PolicyEvent => ({
  type: 'AutomaticDeploymentSkipped',
  data: { ...rollout, machineId, clause, detail: expect.any(String) },
})
const opened = (...machineIds: readonly string[]): PolicyEvent => ({
  type: 'ReleaseCircuitOpened',
  data: { ...rollout, machineIds, windowMs: 15 * minuteMs },
})
const closed: PolicyEvent = { type: 'ReleaseCircuitClosed', data: rollout }
/** Tried and failed, this often; the last time so long ago. */
const failedTimes = (machineId: string, count: number, agoMs = 0): PolicyEvent[] =>
  Array.from({ length: count }, () => [requested([machineId]), settled([], [machineId], nowMs - agoMs)]).flat()

const decided = (past: readonly PolicyEvent[], ...asked: Parameters<typeof evaluate>) => {
  const decision = policy.decide(evaluate(...asked), replay(policy, past))
  if (isRefusal(decision)) throw new Error(decision.detail)
  for (const fact of decision) expect(PolicyEvent.parse(fact)).toEqual(fact)
  return decision
}

describe('a machine that should have a release', () => {
  const desired = [wants('1.0')]

  it('gets it', () =>
    given()
      .when(evaluate({ members: [member('m')], desired }))
      .thenRecorded(requested(['m'])))
  it.each([
    ['has it', member('m', has('1.0')), {}],
    ['is not well', member('m', { status: 'unknown' }), {}],
    ['does not answer', member('m', { status: 'unavailable' }), {}],
    ['is disabled', member('m', { enabled: false }), {}],
    ['is gone', member('m', { registered: false }), {}],
    ['serves deployments', member('m', { roles: ['worker'] }), {}],
    ['has none of its roles', member('m'), { targetRoles: ['db'] }],
    ['is waited for by a release that is under way', member('m'), { busy: true }],
  ])('gets nothing when it %s', (_, one, part) =>
    given()
      .when(evaluate({ members: [one], desired: [wants('1.0', part)] }))
      .thenNothing(),
  )
  it('gets nothing where the policy says so', () =>
    given()
      .when(evaluate({ members: [member('m')], desired, settings: { automaticDeployments: { enabled: false } } }))
      .thenNothing())
  it('gets it once: the second look finds it under way', () =>
    given(requested(['m']))
      .when(evaluate({ members: [member('m')], desired }))
      .thenNothing())
  it('gets one of each project', () => {
    const both = [...desired, wants('7.1', { projectId: 'base' })]
    expect(decided([], { members: [member('m')], desired: both })).toMatchObject([
      { data: { projectId: 'shop' } },
      { data: { projectId: 'base' } },
    ])
  })
  it('gets an older one when a person pins that', () =>
    given()
      .when(evaluate({ members: [member('m', has('2.0', 3))], desired: [wants('1.0', { position: 5 })] }))
      .thenRecorded(requested(['m'])))
  it('keeps a newer one that was deployed to it since, and that is said once', () => {
    const members = [member('m', has('2.0', 9))]
    given().when(evaluate({ members, desired })).thenRecorded(skipped('m', 'newer-installed'))
    given(skipped('m', 'newer-installed')).when(evaluate({ members, desired })).thenNothing()
  })
  it('is not held back by the verdict on another version', () => {
    const members = [member('m', has('2.0', 9))]
    const verdict: PolicyEvent = {
      type: 'AutomaticDeploymentSkipped',
      data: { ...rollout, version: '0.9', machineId: 'm', clause: 'newer-installed', detail: '' },
    }
    given(verdict).when(evaluate({ members, desired })).thenRecorded(skipped('m', 'newer-installed'))
  })
})

describe('machines that come together', () => {
  const desired = [wants('1.0')]
  const members = [member('a'), member('b')]
  const asked = (needed: Record<string, number>) =>
    decided([], { members, desired, needed }).map(({ data }) => ('machineIds' in data ? data.machineIds : []))

  it.each([
    ['wait until it has been quiet', { a: 30_000, b: 19_999 }, []],
    ['share a deployment when it has been quiet', { a: 30_000, b: 20_000 }, [['a', 'b']]],
    ['do not wait for ever for quiet', { a: 120_000, b: 0 }, [['a', 'b']]],
  ])('%s', (_, needed, batches) => expect(asked(needed)).toEqual(batches))

  const crowd = Array.from({ length: 120 }, (_, number) => member(`m-${number}`))
  const sizes = (needed: Record<string, number>) =>
    decided([], { members: crowd, desired, needed }).map(({ data }) =>
      'machineIds' in data ? data.machineIds.length : 0,
    )
  it('in a crowd are shared out at once', () => expect(sizes({})).toEqual([50, 50, 20]))
  it('in a crowd do not wait for quiet, but for those that fill no batch', () =>
    expect(sizes(Object.fromEntries(crowd.map(({ machineId }) => [machineId, 0])))).toEqual([50, 50]))
  it('have ids of their own for each deployment', () => {
    const ids = decided([], { members: crowd, desired }).map(({ data }) =>
      'deploymentId' in data ? data.deploymentId : '',
    )
    expect(new Set(ids).size).toBe(3)
  })
})

describe('a release that failed on a machine', () => {
  const desired = [wants('1.0')]
  const members = [member('m')]

  it.each([
    [1, 29_999, false],
    [1, 30_000, true],
    [2, 59_999, false],
    [2, 60_000, true],
  ])('is tried again after %i failures, %i ms after the last: %s', (count, agoMs, again) => {
    const decision = decided(failedTimes('m', count, agoMs), { members, desired })
    expect(decision.map(({ type }) => type)).toEqual(again ? ['AutomaticDeploymentRequested'] : [])
  })
  it('waits no longer than the policy says', () => {
    const settings = { automaticDeployments: { triesMax: 50, backoffMaxMs: 3_600_000 } }
    expect(decided(failedTimes('m', 20, 3_600_000), { members, desired, settings })).toHaveLength(1)
    expect(decided(failedTimes('m', 20, 3_599_999), { members, desired, settings })).toEqual([])
  })
  it('is not tried more often than the policy says, and that is said once', () => {
    const past = failedTimes('m', 3, 10 * 3_600_000)
    given(...past)
      .when(evaluate({ members, desired }))
      .thenRecorded(skipped('m', 'tries-used-up'))
    given(...past, skipped('m', 'tries-used-up'))
      .when(evaluate({ members, desired }))
      .thenNothing()
  })
  it('does not keep the next version from it', () =>
    expect(decided(failedTimes('m', 3), { members, desired: [wants('2.0')] })).toMatchObject([
      { data: { version: '2.0' } },
    ]))
  it('does not keep it from other machines', () =>
    expect(decided(failedTimes('m', 3), { members: [...members, member('n')], desired })).toContainEqual(
      requested(['n']),
    ))
  it('is forgotten when it succeeds', () => {
    const past = [...failedTimes('m', 2), requested(['m']), settled(['m'], [])]
    expect(replay(policy, past).tries.get('shop@1.0')?.get('m')).toBeUndefined()
  })
})

describe('a release that fails on machine after machine', () => {
  const desired = [wants('1.0')]
  const members = [member('d'), ...['a', 'b', 'c'].map((id) => member(id))]
  const failing = ['a', 'b', 'c'].flatMap((id) => failedTimes(id, 1, minuteMs))

  it('is stopped before it takes the rest', () =>
    given(...failing)
      .when(evaluate({ members, desired }))
      .thenRecorded(opened('a', 'b', 'c'), ...['d', 'a', 'b', 'c'].map((id) => skipped(id, 'circuit-open'))))
  it('stays stopped, and says nothing more', () => {
    const said = ['d', 'a', 'b', 'c'].map((id) => skipped(id, 'circuit-open'))
    given(...failing, opened('a', 'b', 'c'), ...said)
      .when(evaluate({ members, desired }))
      .thenNothing()
  })
  it('is not stopped by failures of long ago, or of few machines', () => {
    const long = ['a', 'b', 'c'].flatMap((id) => failedTimes(id, 1, 15 * minuteMs))
    expect(decided(long, { members, desired })).toEqual([requested(['d', 'a', 'b', 'c'])])
    expect(decided(failing.slice(0, 4), { members: [member('d')], desired })).toEqual([requested(['d'])])
  })
  it('does not stop the version before it', () => {
    const past = [...failing, opened('a', 'b', 'c')]
    const decision = decided(past, { members, desired: [wants('0.9')] })
    expect(decision).toMatchObject([{ type: 'AutomaticDeploymentRequested', data: { version: '0.9' } }])
  })
  it('is tried again everywhere, as if for the first time, when a person says so', () => {
    const said = ['d', 'a', 'b', 'c'].map((id) => skipped(id, 'circuit-open'))
    const past = [...failing, opened('a', 'b', 'c'), ...said, closed]
    expect(decided(past, { members, desired })).toEqual([requested(['d', 'a', 'b', 'c'])])
  })
  it('is closed once', () => {
    const close = { type: 'CloseCircuit', environmentId, projectId: 'shop', version: '1.0' } as const
    given(opened('a')).when(close).thenRecorded(closed)
    given(opened('a'), closed).when(close).thenNothing()
    given().when(close).thenNothing()
  })
  it('keeps the verdicts on other projects when it is closed', () => {
    const other: PolicyEvent = {
      type: 'AutomaticDeploymentSkipped',
      data: { ...rollout, projectId: 'base', machineId: 'm', clause: 'newer-installed', detail: '' },
    }
    const state = replay(policy, [other, opened('a'), closed])
    expect(state.skipped.get('base')?.get('m')).toMatchObject({ clause: 'newer-installed' })
  })
})

describe('an automatic deployment that ended', () => {
  const desired = [wants('1.0')]
  const ended = (succeeded: readonly string[], failed: readonly string[]) => ({
    ended: [{ deploymentId, succeeded, failed }],
  })

  it('is settled', () =>
    given(requested(['m']))
      .when(evaluate({ ...ended(['m'], []), members: [member('m', has('1.0'))], desired }))
      .thenRecorded(settled(['m'], [])))
  it('is settled once', () =>
    given(requested(['m']), settled(['m'], []))
      .when(evaluate(ended(['m'], [])))
      .thenNothing())
  it('that nobody asked for is none of our business', () =>
    given()
      .when(evaluate(ended(['m'], [])))
      .thenNothing())
  it('frees its machines in the same look: whoever has not got it and did not fail gets it now', () => {
    const members = ['a', 'b', 'c'].map((id) => member(id, id === 'a' ? has('1.0') : {}))
    given(requested(['a', 'b', 'c']))
      .when(evaluate({ ...ended(['a'], ['b']), members, desired }))
      .thenRecorded(settled(['a'], ['b']), requested(['c']))
  })
})

describe('an automatic deployment that was never made', () => {
  const desired = [wants('1.0')]
  const members = [member('m')]
  const giveUp = { type: 'AbandonDeployment', environmentId, deploymentId, detail: 'no', nowMs } as const

  it('is given up, once', () => {
    given(requested(['m']))
      .when(giveUp)
      .thenRecorded(abandoned(nowMs))
    given(requested(['m']), abandoned(nowMs))
      .when(giveUp)
      .thenNothing()
    given().when(giveUp).thenNothing()
  })
  it('is not asked for again at once', () =>
    given(requested(['m']), abandoned(nowMs - 29_999))
      .when(evaluate({ members, desired }))
      .thenNothing())
  it('is asked for again after a while, more and more seldom, but never too often', () => {
    const times = (count: number, agoMs: number) =>
      Array.from({ length: count }, () => [requested(['m']), abandoned(nowMs - agoMs)]).flat()
    expect(decided(times(1, 30_000), { members, desired })).toHaveLength(1)
    expect(decided(times(4, 239_999), { members, desired })).toEqual([])
    expect(decided(times(9, 3_600_000), { members, desired })).toHaveLength(1)
  })
  it('is given up by itself when nobody makes it in five minutes', () => {
    const missing = (forMs: number) => evaluate({ missing: [{ deploymentId, forMs }] })
    given(requested(['m']))
      .when(missing(5 * minuteMs - 1))
      .thenNothing()
    given(requested(['m']))
      .when(missing(5 * minuteMs))
      .thenRecorded(abandoned(nowMs, 'nobody has made it in 300 s'))
  })
})
