import { describe, expect, it } from 'vitest'
import type { PolicyEvent } from '#contracts/policy.ts'
import { replay } from '#libs/decider.ts'
import { benchOf } from '#services/policy/bench.ts'
import type { ClauseName } from '#services/policy/clause.ts'
import { removalClauses } from '#services/policy/clauses.ts'
import { policy } from '#services/policy/decider.ts'
import type { Member } from '#services/policy/world.ts'
import { environmentId, member, nowMs, silent, worldOf } from './world.ts'

const minuteMs = 60_000
const tenMs = 10 * minuteMs
type Setting = Parameters<typeof worldOf>[0] & { past?: readonly PolicyEvent[]; wallMs?: number }

/** Every clause for one machine among nine that are well, unless the setting says otherwise. */
const clausesOf = (one: Member, { past = [], wallMs = nowMs, ...setting }: Setting = {}) => {
  const others = Array.from({ length: 9 }, (_, number) => member(`other-${number}`))
  const world = worldOf({ members: [one, ...others], ...setting })
  const bench = benchOf(environmentId, replay(policy, past), world, { nowMs, wallMs })!
  return removalClauses(bench, one)
}
const clauseOf = (clause: ClauseName, ...asked: Parameters<typeof clausesOf>) =>
  clausesOf(...asked).find((one) => one.clause === clause)!
const firstFailing = (...asked: Parameters<typeof clausesOf>) =>
  clausesOf(...asked).find(({ holds }) => !holds)?.clause ?? null

const due = silent('s', tenMs)
const provided = { dynamicRegistration: { provider: 'cloud' } }
const decided = (changes: object = {}) =>
  ({
    type: 'RemovalRequested',
    data: {
      ...{ environmentId, machineId: 's', decisionId: 'd-1', at: nowMs - 1_000, rule: 'unavailable' },
      ...{ unavailableSince: due.unavailableSince, observedMs: tenMs, thresholdMs: tenMs },
      ...{ policyVersion: 3, deploymentId: null, ...changes },
    },
  }) as PolicyEvent
const resumed = {
  type: 'RemovalsResumed',
  data: { environmentId, machineIds: ['s'], by: 'recovery', at: nowMs - 1_000 },
}
const heldBack = {
  type: 'RemovalWithheld',
  data: {
    ...{ environmentId, machineId: 's', unavailable: 9, registered: 10, share: 0.9 },
    ...{ thresholdShare: 0.2, policyVersion: 3, clearsWhen: 'x' },
  },
}

describe('the clauses for a removal', () => {
  it('are told in order, and all hold when the machine is to be removed', () => {
    const all = clausesOf(due)
    expect(all.map(({ clause }) => clause)).toEqual([
      ...['elastic', 'watched', 'observing', 'still-answers', 'silent', 'observed-long-enough', 'undecided'],
      ...['protected', 'running-at-provider', 'provider-silent', 'start-up', 'quiet-hours', 'guard'],
    ])
    expect(all.filter(({ holds }) => !holds)).toEqual([])
    expect(all.every(({ clearsAt, detail }) => clearsAt === null && detail !== '')).toBe(true)
  })

  const cases: readonly [ClauseName, string, Member, Setting, string, number | null][] = [
    ['elastic', 'static', due, { settings: { dynamicRegistration: { enabled: false } } }, 'stay here', null],
    ['watched', 'gone', { ...due, registered: false }, {}, 'not registered', null],
    ['watched', 'elsewhere', { ...due, environmentId: 'far' }, {}, 'belongs to far', null],
    ['watched', 'disabled', { ...due, enabled: false }, {}, 'disabled', null],
    ['watched', 'quarantined', { ...due, quarantined: true }, {}, 'quarantined', null],
    ['observing', 'nobody observes', due, { since: null }, 'not observed', null],
    ['observing', 'just back', due, { since: nowMs - 20_000 }, 'only 20 s; fresh evidence takes 1 min', nowMs + 40_000],
    [
      ...(['still-answers', 'a conflict'] as const),
      member('s', { providerState: 'terminated', providerSaidAt: nowMs - 30_000 }),
      ...([{ settings: provided }, 'though cloud says that it is terminated', null] as const),
    ],
    ['silent', 'healthy', member('s'), {}, 'it answers: it is healthy', null],
    ['silent', 'unhealthy', member('s', { status: 'unhealthy' }), {}, 'it answers: it is unhealthy', null],
    ['silent', 'new', member('s', { status: 'unknown' }), {}, 'nothing is known', null],
    ['silent', 'only late', member('s', { lateSince: nowMs - 1_000 }), {}, 'it answers', null],
    ['observed-long-enough', 'silent', silent('s', 60_000), {}, '1 min of 10 min', nowMs + 9 * minuteMs],
    ['observed-long-enough', 'gaps', due, { gapMs: 30_000 }, '9 min 30 s of 10 min', nowMs + 30_000],
    ['undecided', 'under way', due, { past: [decided()] }, 'under way', nowMs - 1_000 + 5 * minuteMs],
    [
      ...(['undecided', 'given up', due] as const),
      {
        past: [
          decided(),
          { type: 'RemovalAbandoned', data: { environmentId, machineId: 's', detail: 'x', at: nowMs - 1_000 } },
        ],
      },
      ...(['given up a moment ago', nowMs + 59_000] as const),
    ],
    [
      ...(['undecided', 'taken back', due] as const),
      {
        past: [
          decided(),
          {
            type: 'DecisionReverted',
            data: { environmentId, decisionId: 'd-1', machineIds: ['s'], reason: 'no', at: nowMs - minuteMs },
          },
        ],
      },
      ...(['a person has taken its removal back', nowMs + 9 * minuteMs] as const),
    ],
    [
      ...(['undecided', 'others are back', due] as const),
      { past: [heldBack, resumed] as PolicyEvent[] },
      ...(['just come back', nowMs - 1_000 + 5 * minuteMs] as const),
    ],
    [
      'protected',
      'a role',
      due,
      { settings: { dynamicRegistration: { protectedLabels: ['web'] } } },
      'label web',
      null,
    ],
    [
      ...(['protected', 'an attribute', { ...due, attributes: { pet: 'yes' } }] as const),
      { settings: { dynamicRegistration: { protectedLabels: ['db', 'pet=yes'] } } },
      ...(['label pet=yes', null] as const),
    ],
    ['running-at-provider', 'lost', { ...due, providerState: 'running' }, { settings: provided }, 'it is lost', null],
    ['provider-silent', 'away', { ...due, providerState: 'silent' }, { settings: provided }, 'cannot be asked', null],
    ['provider-silent', 'not yet asked', due, { settings: provided }, 'has not said anything', null],
    ['start-up', 'fresh', { ...due, startedAt: nowMs - 60_000 }, {}, '1 min ago and has 5 min', nowMs + 4 * minuteMs],
    [
      ...(['quiet-hours', 'night', due] as const),
      {
        settings: {
          dynamicRegistration: { quietHours: [{ cron: '0 22 * * *', forMs: 8 * 60 * minuteMs, timeZone: 'UTC' }] },
        },
        wallMs: Date.parse('2026-05-11T05:00:00Z'),
      },
      ...(['another 1 h', nowMs + 60 * minuteMs] as const),
    ],
    [
      ...(['guard', 'many', due] as const),
      { members: [due, ...Array.from({ length: 9 }, (_, n) => silent(`t-${n}`, tenMs))] },
      ...(['10 of 10 machines went unavailable together; it waits until', null] as const),
    ],
  ]
  it.each(cases)('%s does not hold: %s', (clause, _, one, setting, words, clearsAt) => {
    expect(firstFailing(one, setting)).toBe(clause)
    expect(clauseOf(clause, one, setting)).toMatchObject({ holds: false, clearsAt })
    expect(clauseOf(clause, one, setting).detail).toContain(words)
  })

  const allowed: readonly [ClauseName, string, Member, Setting, string][] = [
    ['observing', 'long ago', due, { since: nowMs - minuteMs }, 'observed for 1 min'],
    [
      ...(['still-answers', 'it may just be ending'] as const),
      member('s', { providerState: 'terminated', providerSaidAt: nowMs - 29_999 }),
      ...([{ settings: provided }, ''] as const),
    ],
    [
      ...(['observed-long-enough', 'terminated and late'] as const),
      member('s', { providerState: 'terminated', lateSince: nowMs - 5_000 }),
      ...([{ settings: provided }, 'cloud says that it is terminated'] as const),
    ],
    [
      ...(['observed-long-enough', 'not contactable', silent('s', 1_000, { notContactableIn: 'x' })] as const),
      ...([{}, 'could not contact it'] as const),
    ],
    ['undecided', 'of another spell', due, { past: [decided({ unavailableSince: 7 })] }, 'nothing else'],
    ['running-at-provider', 'stopped', { ...due, providerState: 'stopped' }, { settings: provided }, 'no provider'],
    ['running-at-provider', 'nobody is asked any more', { ...due, providerState: 'running' }, {}, 'no provider'],
    ['provider-silent', 'not listed', { ...due, providerState: 'unknown' }, { settings: provided }, 'unknown'],
    ['start-up', 'over', { ...due, startedAt: nowMs - 5 * minuteMs }, {}, 'grace of 5 min is over'],
    ['protected', 'by no such value', { ...due, attributes: { pet: 'no' } }, {}, 'no label'],
    [
      ...(['guard', 'a person let it go', due] as const),
      {
        members: [due, ...Array.from({ length: 9 }, (_, n) => silent(`t-${n}`, tenMs))],
        past: [{ type: 'RemovalsResumed', data: { environmentId, machineIds: ['s'], by: 'person' } }],
      },
      'a person has let it go',
    ],
    [
      ...(['guard', 'some may go', due] as const),
      {
        members: [
          due,
          silent('t', tenMs),
          silent('u', tenMs),
          ...Array.from({ length: 7 }, (_, n) => member(`m-${n}`)),
        ],
      },
      'some of them may still be removed',
    ],
    ['guard', 'off', due, { settings: { guard: { enabled: false } } }, 'switched off'],
  ]
  it.each(allowed)('%s holds: %s', (clause, _, one, setting, words) => {
    expect(clauseOf(clause, one, setting)).toMatchObject({ holds: true, clearsAt: null })
    expect(clauseOf(clause, one, setting).detail).toContain(words)
  })

  it('of an environment that nobody knows are none', () => {
    const world = { ...worldOf(), policyOf: () => undefined }
    expect(benchOf(environmentId, policy.initial, world, { nowMs, wallMs: nowMs })).toBeNull()
  })
})
