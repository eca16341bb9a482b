import { describe, expect, it } from 'vitest'
import { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import { evaluate, member, nowMs, silent } from './world.ts'

const tenMs = 600_000
const dayMs = 86_400_000
const provided = { dynamicRegistration: { provider: 'cloud' } }
const others = Array.from({ length: 9 }, (_, number) => member(`o-${number}`))
const s = (part: object = {}) => [silent('s', tenMs, part), ...others]

/** Looks again and again, each time at another world, and tells what was said each time. */
function looks(...settings: readonly (Parameters<typeof evaluate>[0] & { afterMs?: number; wallMs?: number })[]) {
  let past: readonly PolicyEvent[] = []
  return settings.map(({ afterMs = 0, wallMs = 0, ...setting }) => {
    const asked = { ...evaluate(setting, nowMs + afterMs), wallMs } as ReturnType<typeof evaluate>
    const said = policy.decide(asked, replay(policy, past))
    if (isRefusal(said)) throw new Error(said.detail)
    for (const fact of said) expect(PolicyEvent.parse(fact)).toEqual(fact)
    past = [...past, ...said]
    return said.map((fact) => {
      if (fact.type === 'RemovalDeferred') return fact.data.clause
      return fact.type === 'RemovalRequested' ? `removed: ${fact.data.rule}` : fact.type
    })
  })
}

describe('a removal that is due and has to wait', () => {
  it('says so once for each reason, and again when the reason changes', () =>
    expect(
      looks(
        { members: s({ providerState: 'running' }), settings: provided },
        { members: s({ providerState: 'running' }), settings: provided },
        { members: s({ providerState: 'silent' }), settings: provided },
        { members: s({ providerState: 'silent' }), settings: provided },
        { members: s({ providerState: 'unknown' }), settings: provided },
      ),
    ).toEqual([['running-at-provider'], [], ['provider-silent'], [], ['removed: unavailable']]))
  it('is not said of a machine whose removal is not due', () =>
    expect(looks({ members: [silent('s', tenMs - 1, { providerState: 'running' })], settings: provided })).toEqual([
      [],
    ]))
  it('is over when the machine answers, and told anew in its next spell', () => {
    const kept = { dynamicRegistration: { protectedLabels: ['pet=yes'] } }
    const pet = { attributes: { pet: 'yes' } }
    expect(
      looks(
        { members: s(pet), settings: kept },
        { members: [member('s', pet), ...others], settings: kept },
        { members: [member('s', pet), ...others], settings: kept },
        { members: s(pet), settings: kept },
      ),
    ).toEqual([['protected'], ['RemovalsResumed'], [], ['protected']])
  })
  it('is over when the machine is gone, or machines stay here from now on', () => {
    const kept = { dynamicRegistration: { protectedLabels: ['web'] } }
    const gone = { members: [{ ...silent('s', tenMs), registered: false }], settings: kept }
    const fixed = { members: s(), settings: { dynamicRegistration: { enabled: false, protectedLabels: ['web'] } } }
    expect(looks({ members: s(), settings: kept }, gone, gone)).toEqual([['protected'], ['RemovalsResumed'], []])
    expect(looks({ members: s(), settings: kept }, fixed, fixed)).toEqual([['protected'], ['RemovalsResumed'], []])
  })
  it('goes on when the quiet hours are over', () => {
    const quietHours = [{ cron: '0 22 * * *', forMs: 28_800_000, timeZone: 'Europe/Berlin' }]
    const settings = { dynamicRegistration: { quietHours } }
    const at = (iso: string) => ({ members: s(), settings, wallMs: Date.parse(iso) })
    expect(looks(at('2026-03-29T02:00:00Z'), at('2026-03-29T04:59:59Z'), at('2026-03-29T05:00:00Z'))).toEqual([
      ['quiet-hours'],
      [],
      ['removed: unavailable'],
    ])
  })
  it('goes on when the start-up grace is over', () => {
    const members = s({ startedAt: nowMs - 60_000 })
    expect(looks({ members }, { members, afterMs: 239_999 }, { members, afterMs: 240_000 })).toEqual([
      ...[['start-up'], [], ['removed: unavailable']],
    ])
  })
  it('does not count among the machines that a mass failure holds, but counts as a sign of one', () => {
    const settings = { dynamicRegistration: { protectedLabels: ['pet=yes'] } }
    const pets = ['p', 'q'].map((id) => silent(id, tenMs, { attributes: { pet: 'yes' } }))
    expect(looks({ members: [...s(), ...pets], settings })).toEqual([
      ...[['MassFailureDetected', 'removed: unavailable', 'protected', 'protected']],
    ])
  })
  it('is told again as withheld when a mass failure is what holds it by then', () => {
    const members = [...s({ providerState: 'running' }), ...['p', 'q', 'r'].map((id) => silent(id, 1_000))]
    const free = [
      ...s({ providerState: 'unknown' }),
      ...['p', 'q', 'r', 't', 'u', 'v', 'w', 'x', 'y', 'z'].map((id) => silent(id, tenMs)),
    ]
    const [first, second, third] = looks(
      { members, settings: provided },
      { members: free, settings: provided },
      { members: free, settings: provided },
    )
    expect(first).toContain('running-at-provider')
    expect(second).toContain('RemovalWithheld')
    expect(third).toEqual([])
  })
})

describe('a machine that the provider says is terminated', () => {
  const gone = (part: object) => [
    member('s', { providerState: 'terminated', providerSaidAt: nowMs, ...part }),
    ...others,
  ]

  it('is removed as soon as it is late', () =>
    expect(looks({ members: gone({ lateSince: nowMs - 1 }), settings: provided })).toEqual([['removed: terminated']]))
  it('is removed at once when it is silent', () => {
    const members = gone({ status: 'unavailable', unavailableSince: nowMs - 1 })
    expect(looks({ members, settings: provided })).toEqual([['removed: terminated']])
  })
  it('waits like others where the policy says so', () => {
    const settings = { dynamicRegistration: { provider: 'cloud', removeWhenTerminated: false } }
    const away = (forMs: number) => gone({ status: 'unavailable', unavailableSince: nowMs - forMs, lateSince: 1 })
    expect(looks({ members: away(tenMs - 1), settings }, { members: away(tenMs), settings })).toEqual([
      ...[[], ['removed: unavailable']],
    ])
  })
  it('is never removed while it answers, however long that is, and that is visible', () =>
    expect(
      looks(
        { members: gone({}), settings: provided },
        { members: gone({}), settings: provided, afterMs: 30_000 },
        { members: gone({}), settings: provided, afterMs: 7 * dayMs },
      ),
    ).toEqual([[], ['still-answers'], []]))
  it('is not decided about twice when it becomes unavailable meanwhile', () => {
    const late = { lateSince: nowMs - 1 }
    const away = { ...late, status: 'unavailable', unavailableSince: nowMs }
    expect(
      looks({ members: gone(late), settings: provided }, { members: gone(away), settings: provided, afterMs: 30_000 }),
    ).toEqual([['removed: terminated'], []])
  })
  it('neither counts for the mass-failure guard nor is held by it', () => {
    const dead = Array.from({ length: 9 }, (_, n) =>
      silent(`d-${n}`, 1_000, { providerState: 'terminated', providerSaidAt: nowMs }),
    )
    expect(looks({ members: [...dead, ...others], settings: provided })).toEqual([
      Array.from({ length: 9 }, () => 'removed: terminated'),
    ])
    const mass = ['p', 'q', 'r'].map((id) => silent(id, tenMs, { providerState: 'unknown' }))
    expect(looks({ members: [...dead, ...mass], settings: provided })[0]).toEqual([
      ...['MassFailureDetected', ...dead.map(() => 'removed: terminated')],
      ...['RemovalWithheld', 'RemovalWithheld', 'RemovalWithheld'],
    ])
  })
})

it('of nobody is anything told twice in a day of looks', () => {
  const members = s({ providerState: 'running' })
  const all = looks(...Array.from({ length: 50 }, (_, n) => ({ members, settings: provided, afterMs: n * 1_000_000 })))
  expect(all.flat()).toEqual(['running-at-provider'])
})
