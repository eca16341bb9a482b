import { describe, expect, it } from 'vitest'
import { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { specify } from '#test/support/spec.ts'
import { environmentId, evaluate, member, nowMs, silent, worldOf } from './world.ts'

const given = specify(policy)
const minuteMs = 60_000
const tenMs = 10 * minuteMs
const many = (count: number, part: object = {}) =>
  Array.from({ length: count }, (_, number) => member(`m-${number}`, part))
const gone = (count: number, forMs = tenMs) =>
  Array.from({ length: count }, (_, number) => silent(`s-${number}`, forMs))

const requested = (machineId: string, changes: object = {}) =>
  ({
    type: 'RemovalRequested',
    data: {
      ...{ environmentId, machineId, decisionId: 'd-1', at: nowMs, rule: 'unavailable' },
      ...{ unavailableSince: nowMs - tenMs, observedMs: tenMs, thresholdMs: tenMs },
      ...{ policyVersion: 3, deploymentId: null },
      ...changes,
    },
  }) as PolicyEvent
const withheld = (machineId: string) =>
  ({
    type: 'RemovalWithheld',
    data: {
      ...{ environmentId, machineId, unavailable: 30, registered: 100, share: 0.3, thresholdShare: 0.2 },
      ...{ policyVersion: 3, clearsWhen: 'x' },
    },
  }) as PolicyEvent
const resumed = (by: 'recovery' | 'person', ...machineIds: readonly string[]): PolicyEvent => ({
  type: 'RemovalsResumed',
  data: { environmentId, machineIds, by, ...(by === 'recovery' ? { at: nowMs } : {}) },
})
const abandoned = (machineId: string, at: number): PolicyEvent => ({
  type: 'RemovalAbandoned',
  data: { environmentId, machineId, detail: 'it answers', at },
})
/** Who is decided about, and how. */
const decided = (past: readonly PolicyEvent[], ...asked: Parameters<typeof evaluate>) => {
  const decision = policy.decide(evaluate(...asked), replay(policy, past))
  if (isRefusal(decision)) throw new Error(decision.detail)
  for (const fact of decision) expect(PolicyEvent.parse(fact)).toEqual(fact)
  const of = (type: string) =>
    decision.flatMap((fact) => (fact.type === type && 'machineId' in fact.data ? [fact.data.machineId] : []))
  return {
    ...{ removed: of('RemovalRequested'), withheld: of('RemovalWithheld') },
    resumed: decision.flatMap((fact) => (fact.type === 'RemovalsResumed' ? fact.data.machineIds : [])),
  }
}

describe('a machine that does not answer', () => {
  it('is removed when it has not answered for as long as the policy says', () =>
    given()
      .when(evaluate({ members: [silent('s', tenMs), ...many(9)] }))
      .thenRecorded(requested('s')))
  it.each([
    ['it has not been long enough', [silent('s', tenMs - 1)], {}],
    ['much of it was not observed', [silent('s', tenMs)], { gapMs: 1 }],
    ['it answers', [member('s')], {}],
    ['nobody knows of it', [member('s', { status: 'unknown' })], {}],
    ['it is disabled, and so not listened to', [silent('s', tenMs, { enabled: false })], {}],
    ['it is gone already', [silent('s', tenMs, { registered: false })], {}],
    ['machines stay here', [silent('s', tenMs)], { settings: { dynamicRegistration: { enabled: false } } }],
    ['nobody observes', [silent('s', tenMs)], { since: null }],
    ['observation has only just begun again', [silent('s', tenMs)], { since: nowMs - minuteMs + 1 }],
  ])('is not removed when %s', (_, members, world) =>
    given()
      .when(evaluate({ members, ...world }))
      .thenNothing(),
  )
  it('is removed when fresh evidence agrees, some time after observation began again', () =>
    given()
      .when(evaluate({ members: [silent('s', tenMs)], since: nowMs - minuteMs }))
      .thenRecorded(requested('s')))
  it('is removed once in a spell', () => {
    const members = [silent('s', tenMs)]
    given(requested('s')).when(evaluate({ members })).thenNothing()
    given(requested('s', { unavailableSince: 5 }))
      .when(evaluate({ members }))
      .thenRecorded(requested('s'))
  })
  it('is decided about again when the removal has got lost', () => {
    const members = [silent('s', tenMs)]
    const lost = requested('s', { decisionId: 'd-0', at: nowMs - 5 * minuteMs })
    given(lost).when(evaluate({ members })).thenRecorded(requested('s'))
    given(requested('s', { at: nowMs - 5 * minuteMs + 1 }))
      .when(evaluate({ members }))
      .thenNothing()
  })
  it('is left alone for a while when it turned out to answer', () => {
    const members = [silent('s', tenMs)]
    given(requested('s'), abandoned('s', nowMs - minuteMs + 1))
      .when(evaluate({ members }))
      .thenNothing()
    given(requested('s'), abandoned('s', nowMs - minuteMs))
      .when(evaluate({ members }))
      .thenRecorded(requested('s'))
  })
  it('is removed when a deployment could not contact it, where the policy says so', () => {
    const deploymentId = '00000000-0000-4000-8000-000000000009'
    const members = [silent('s', 2 * minuteMs, { notContactableIn: deploymentId })]
    const evidence = { unavailableSince: nowMs - 2 * minuteMs, observedMs: 2 * minuteMs, thresholdMs: 0 }
    given()
      .when(evaluate({ members }))
      .thenRecorded(requested('s', { rule: 'not-contactable', deploymentId, ...evidence }))
    given()
      .when(evaluate({ members, settings: { dynamicRegistration: { removeWhenNotContactable: false } } }))
      .thenNothing()
  })
})

describe('many machines that do not answer', () => {
  it('are all removed as long as they are few enough', () =>
    expect(decided([], { members: [...gone(20), ...many(80)] }).removed).toHaveLength(20))
  it('are held back but for a tenth, each told once', () => {
    const members = [...gone(30), ...many(70)]
    const first = decided([], { members })
    expect([first.removed.length, first.withheld.length]).toEqual([10, 20])
    const past = [...first.removed.map((id) => requested(id)), ...first.withheld.map(withheld)]
    expect(decided(past, { members })).toEqual({ removed: [], withheld: [], resumed: [] })
  })
  it('are let go a tenth at a time', () => {
    const members = [...gone(30), ...many(70)]
    const before = gone(10).map(({ machineId }) => requested(machineId, { at: nowMs - tenMs }))
    const held = gone(30)
      .slice(10)
      .map(({ machineId }) => withheld(machineId))
    expect(decided([...before, ...held], { members }).removed).toHaveLength(10)
  })
  it('are all held back when they are more than half', () => {
    const { removed, withheld: held } = decided([], { members: [...gone(55), ...many(45)] })
    expect([removed.length, held.length]).toEqual([0, 55])
  })
  it('are let go when a person says so, one or all', () => {
    const members = [...gone(60), ...many(40)]
    const held = gone(60).map(({ machineId }) => withheld(machineId))
    const past = [...held, resumed('person', 's-1', 's-2')]
    expect(decided(past, { members })).toEqual({ removed: ['s-1', 's-2'], withheld: [], resumed: [] })
  })
})

describe('a removal that is held back', () => {
  const held = [withheld('s-0'), withheld('s-1')]

  it('is over when the machine answers', () => {
    const members = [...gone(60).filter(({ machineId }) => machineId !== 's-1'), ...many(40), member('s-1')]
    expect(decided(held, { members }).resumed).toEqual(['s-1'])
  })
  it('is over when the machine is gone', () => {
    const members = [...gone(60).filter(({ machineId }) => machineId !== 's-1'), ...many(40)]
    expect(decided(held, { members }).resumed).toEqual(['s-1'])
  })
  it('is over for all when enough answer, and the last ones have some time to answer too', () => {
    const members = [...gone(2), ...many(40)]
    expect(decided(held, { members })).toEqual({ removed: [], withheld: [], resumed: ['s-0', 's-1'] })
    const past = [...held, resumed('recovery', 's-0', 's-1')]
    expect(decided(past, { members }, nowMs + 5 * minuteMs - 1).removed).toEqual([])
    expect(decided(past, { members }, nowMs + 5 * minuteMs).removed).toEqual(['s-0', 's-1'])
  })
  it('is not over because we were away for a while', () => {
    const members = [...gone(60), ...many(40)]
    expect(decided(held, { members, since: nowMs - 1_000 })).toEqual({ removed: [], withheld: [], resumed: [] })
    expect(decided(held, { members, since: null })).toEqual({ removed: [], withheld: [], resumed: [] })
  })
  it('is over when machines stay here from now on', () => {
    const settings = { dynamicRegistration: { enabled: false } }
    expect(decided(held, { members: [...gone(60), ...many(40)], settings }).resumed).toEqual(['s-0', 's-1'])
  })
  it('does not come and go from one look to the next', () => {
    const members = [...gone(60), ...many(40)]
    let past: readonly PolicyEvent[] = []
    for (let look = 0; look < 20; look++) {
      const decision = policy.decide(evaluate({ members }, nowMs + look * 1_000), replay(policy, past))
      past = [...past, ...(decision as readonly PolicyEvent[])]
    }
    expect(past.filter(({ type }) => type === 'RemovalWithheld')).toHaveLength(60)
    expect(past.filter(({ type }) => type !== 'RemovalWithheld')).toMatchObject([{ type: 'MassFailureDetected' }])
  })
})

describe('a machine that a person let go', () => {
  it('is guarded again once it has answered', () => {
    const past = [withheld('s-0'), resumed('person', 's-0')]
    const healthy = [...gone(60).slice(1), member('s-0'), ...many(40)]
    expect(decided(past, { members: healthy }).resumed).toEqual(['s-0'])
    const later = [...past, resumed('recovery', 's-0')]
    expect(decided(later, { members: [...gone(60), ...many(40)] }, nowMs + tenMs).withheld).toContain('s-0')
  })
})

describe('a person', () => {
  const release = (machineIds: readonly string[] | null) =>
    ({ type: 'ReleaseWithheld', environmentId, machineIds }) as const

  it('lets go those that are held back', () =>
    given(withheld('a'), withheld('b'))
      .when(release(['b']))
      .thenRecorded(resumed('person', 'b')))
  it('lets all go', () =>
    given(withheld('a'), withheld('b'))
      .when(release(null))
      .thenRecorded(resumed('person', 'a', 'b')))
  it('changes nothing when nobody is held back', () => given().when(release(null)).thenNothing())
  it('changes nothing when asking twice', () =>
    given(withheld('a'), resumed('person', 'a'))
      .when(release(['a']))
      .thenNothing())
  it('cannot let go whom nobody holds', () =>
    given(withheld('a'))
      .when(release(['a', 'b']))
      .thenRefused('MACHINE_UNKNOWN', 'removal of b is'))
})

describe('giving up a removal', () => {
  const giveUp = { type: 'AbandonRemoval', environmentId, machineId: 's', detail: 'it answers', nowMs: 7 } as const
  it('is recorded', () => given(requested('s')).when(giveUp).thenRecorded(abandoned('s', 7)))
  it('is recorded once', () => given(requested('s'), abandoned('s', 6)).when(giveUp).thenNothing())
  it('of what was not decided is nothing', () => given().when(giveUp).thenNothing())
})

it('an environment that nobody knows is not judged', () => {
  const world = { ...worldOf({ members: gone(1) }), policyOf: () => undefined }
  given()
    .when({ ...evaluate(), world } as ReturnType<typeof evaluate>)
    .thenNothing()
})
