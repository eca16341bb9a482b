import { describe, expect, it } from 'vitest'
import { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import type { Verdicts } from '#services/policy/state.ts'
import type { Member } from '#services/policy/world.ts'
import type { Settings } from '../deployment/stage.ts'
import { evaluate, member, nowMs, silent } from './world.ts'

const minuteMs = 60_000
const zone = (value: string) => ({ attributes: { zone: value } })
const well = (value: string, count: number) =>
  Array.from({ length: count }, (_, n) => member(`${value}-${n}`, zone(value)))
const away = (machines: readonly Member[], count: number, forMs = minuteMs) =>
  machines.map((one, n) => (n < count ? silent(one.machineId, forMs, { attributes: one.attributes }) : one))

/** An environment that is looked at again and again; tells what was said of mass failures, as one word each. */
class Story {
  #state: Verdicts = policy.initial
  #looks = 0
  readonly told: PolicyEvent[] = []

  look(members: readonly Member[], settings: Settings = {}, afterMs = this.#looks * 1_000): readonly string[] {
    this.#looks += 1
    const asked = { ...evaluate({ members, settings }, nowMs + afterMs), decisionId: `d-${this.#looks}` }
    const said = policy.decide(asked, this.#state)
    if (isRefusal(said)) throw new Error(said.detail)
    for (const fact of said) expect(PolicyEvent.parse(fact)).toEqual(fact)
    this.#state = said.reduce(policy.evolve, this.#state)
    this.told.push(...said)
    return said.flatMap((fact) => {
      if (fact.type === 'MassFailureDetected') return `+${fact.data.domain?.value ?? 'all'}`
      return fact.type === 'MassFailureCleared' ? `-${fact.data.domain?.value ?? 'all'} ${fact.data.by}` : []
    })
  }
}

describe('a mass failure', () => {
  const a = well('a', 10)
  const b = well('b', 30)

  it('is told once while it lasts, whether or not a removal is due, with whom it is about', () => {
    const story = new Story()
    const members = [...away(a, 4), ...b]
    expect([story.look(members), story.look(members), story.look(members)]).toEqual([['+a'], [], []])
    expect(story.told).toMatchObject([
      {
        data: {
          ...{ incidentId: 'd-1', domain: { attribute: 'zone', value: 'a' }, machineIds: ['a-0', 'a-1', 'a-2', 'a-3'] },
          ...{ unavailable: 4, registered: 10, share: 0.4, thresholdShare: 0.2, policyVersion: 3 },
        },
      },
    ])
  })
  it('of the whole environment is one, and its domains open none beside it', () =>
    expect(new Story().look([...away(a, 10), ...away(b, 30)])).toEqual(['+all']))
  it('that grows from a domain to all is told as both, and each ends by itself', () => {
    const story = new Story()
    expect(story.look([...away(a, 5), ...b])).toEqual(['+a'])
    expect(story.look([...away(a, 10), ...away(b, 10)])).toEqual(['+all'])
    expect(story.look([...away(a, 5), ...b])).toEqual(['-all recovery'])
    expect(story.look([...away(a, 2), ...b])).toEqual(['-a recovery'])
  })
  it('of all that shrinks to a domain goes on as that of the domain', () => {
    const story = new Story()
    expect(story.look([...away(a, 10), ...away(b, 10)])).toEqual(['+all'])
    expect(story.look([...away(a, 5), ...b])).toEqual(['-all recovery', '+a'])
  })
  it('ends by removal when those who were in it are gone', () => {
    const story = new Story()
    const large = well('b', 40)
    story.look([...away(a, 5), ...large])
    const gone = away(a, 5).map((one, n) => (n < 4 ? { ...one, registered: false } : one))
    expect(story.look([...gone, ...large])).toEqual(['-a removal'])
  })
  it.each<[string, Settings]>([
    ['the guard is switched off', { guard: { enabled: false } }],
    ['machines stay here from now on', { dynamicRegistration: { enabled: false } }],
    ['other domains are told apart', { guard: { failureDomain: 'rack' } }],
    ['no domains are told apart', { guard: { failureDomain: null } }],
  ])('ends by policy when %s', (_, settings) => {
    const story = new Story()
    story.look([...away(a, 4), ...b])
    expect(story.look([...away(a, 4), ...b], settings)).toEqual(['-a policy'])
  })
  it('is named by whoever it holds, with when that may end', () => {
    const story = new Story()
    story.look([...away(a, 4, 10 * minuteMs), ...b])
    const withheld = story.told.filter(({ type }) => type === 'RemovalWithheld')
    expect(withheld).toHaveLength(3)
    expect(withheld[0]!.data).toMatchObject({
      ...{ machineId: 'a-1', incidentId: 'd-1', domain: { attribute: 'zone', value: 'a' }, at: nowMs },
      clearsWhen: expect.stringContaining('of the machines with zone a, or 2,'),
    })
  })
  it('of a domain holds nobody in another one', () => {
    const story = new Story()
    story.look([...away(a, 6, 10 * minuteMs), ...away(b, 2, 10 * minuteMs)])
    const removed = story.told.flatMap((fact) => (fact.type === 'RemovalRequested' ? [fact.data.machineId] : []))
    expect(removed).toEqual(['b-0', 'b-1'])
  })
  it('lets the smaller of what both allow go', () => {
    const story = new Story()
    const settings = { guard: { releaseShare: 0.2 } }
    // Both are tripped: two of ten may go in the zone, eight of forty in all.
    story.look([...away(a, 5, 10 * minuteMs), ...away(b, 10, 10 * minuteMs)], settings)
    const removed = story.told.flatMap((fact) => (fact.type === 'RemovalRequested' ? [fact.data.machineId] : []))
    expect(removed).toEqual(['a-0', 'a-1', 'b-0', 'b-1', 'b-2'])
  })
  it('names a thousand machines at most, and says how many there are', () => {
    const story = new Story()
    story.look(away(well('a', 1_500), 1_400))
    expect(story.told[0]).toMatchObject({ type: 'MassFailureDetected', data: { unavailable: 1_400 } })
    expect((story.told[0]!.data as { machineIds: readonly string[] }).machineIds).toHaveLength(1_000)
  })
  it('that lasts through the removals at its rate is told once, and those that are left wait for nobody', () => {
    const story = new Story()
    const fleet = well('a', 40)
    const gone = new Set<string>()
    for (let minutes = 0; minutes <= 60; minutes += 10) {
      const members = away(fleet, 12, 10 * minuteMs).map((one) => ({ ...one, registered: !gone.has(one.machineId) }))
      story.look(members, {}, minutes * minuteMs)
      for (const fact of story.told) if (fact.type === 'RemovalRequested') gone.add(fact.data.machineId)
    }
    expect(story.told.filter(({ type }) => type === 'MassFailureDetected')).toHaveLength(1)
    expect(story.told.filter(({ type }) => type === 'MassFailureCleared')).toMatchObject([{ data: { by: 'removal' } }])
    expect(story.told.filter(({ type }) => type === 'RemovalsResumed')).toMatchObject([{ data: { by: 'rate' } }])
    expect(gone.size).toBe(12)
  })
})
