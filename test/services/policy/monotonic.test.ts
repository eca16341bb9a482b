import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyEvent } from '#contracts/policy.ts'
import { isRefusal, replay } from '#libs/decider.ts'
import { policy } from '#services/policy/decider.ts'
import type { Member } from '#services/policy/world.ts'
import type { Settings } from '../deployment/stage.ts'
import { environmentId, evaluate, member, nowMs } from './world.ts'

const minuteMs = 60_000
const zones = ['a', 'b', 'c', undefined]
const share = fc.integer({ min: 1, max: 20 }).map((twentieths) => twentieths / 20)

/** A machine as it was drawn: for how long it has been silent, null when it answers, and what else holds for it. */
interface Drawn {
  readonly zone: string | undefined
  readonly silentMs: number | null
  readonly isPet: boolean
  readonly isTerminated: boolean
}
const drawn: fc.Arbitrary<Drawn> = fc.record({
  zone: fc.constantFrom(...zones),
  silentMs: fc.option(fc.integer({ min: 0, max: 30 }).map((minutes) => minutes * minuteMs)),
  isPet: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  isTerminated: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
})
const settings: fc.Arbitrary<Settings> = fc
  .record({ share, more: share, floor: fc.nat(5), releaseShare: share, windowMinutes: fc.integer({ min: 1, max: 20 }) })
  .map(({ share: low, more, floor, releaseShare, windowMinutes }) => ({
    guard: { share: low, fullStopShare: Math.max(low, more), floor, releaseShare, windowMs: windowMinutes * minuteMs },
    dynamicRegistration: { provider: 'cloud', protectedLabels: ['pet=yes'], startUpGraceMs: 0 },
  }))
/** Removals of the last minutes: what the rate of a tripped guard has used up. */
const removedBefore = fc.array(fc.tuple(fc.constantFrom(...zones), fc.nat(15)), { maxLength: 5 })

const attributesOf = ({ zone, isPet }: Pick<Drawn, 'zone' | 'isPet'>) => ({
  ...(zone !== undefined && { zone }),
  ...(isPet && { pet: 'yes' }),
})
const machine = (one: Drawn, index: number, atMs: number): Member => {
  const since = one.silentMs === null ? null : nowMs - one.silentMs
  const isSilent = since !== null && since <= atMs
  return member(`m-${index}`, {
    attributes: attributesOf(one),
    providerState: isSilent && one.isTerminated ? 'terminated' : 'unknown',
    providerSaidAt: since,
    ...(isSilent && { status: 'unavailable', unavailableSince: since }),
  })
}

/** Whom an environment with this history removes as time goes on, and when each of them went. */
function removals(fleet: readonly Drawn[], policySettings: Settings, before: readonly PolicyEvent[], looks: number) {
  const goneAt = new Map<string, number>()
  let state = replay(policy, before)
  const earlier = before.flatMap((event) => (event.type === 'RemovalRequested' ? [event.data.machineId] : []))
  for (let look = 0; look < looks; look++) {
    const atMs = nowMs + look * 7 * minuteMs
    const members = fleet.map((one, index) => machine(one, index, atMs))
    const still = members.map((one) => (goneAt.has(one.machineId) ? { ...one, registered: false } : one))
    const old = earlier.map((id) => member(id, { registered: false, attributes: { zone: id.slice(0, 1) } }))
    const said = policy.decide(evaluate({ members: [...still, ...old], settings: policySettings }, atMs), state)
    if (isRefusal(said)) throw new Error(said.detail)
    state = said.reduce(policy.evolve, state)
    for (const event of said) if (event.type === 'RemovalRequested') goneAt.set(event.data.machineId, atMs)
  }
  return goneAt
}

const historyOf = (all: readonly (readonly [string | undefined, number])[]): readonly PolicyEvent[] =>
  all
    .toSorted(([, a], [, b]) => b - a)
    .map(([zone, minutes], index) => ({
      type: 'RemovalRequested',
      data: {
        ...{ environmentId, machineId: `${zone ?? 'x'}-${index}`, decisionId: 'd-0', at: nowMs - minutes * minuteMs },
        ...{
          rule: 'unavailable',
          unavailableSince: 1,
          observedMs: 1,
          thresholdMs: 1,
          policyVersion: 3,
          deploymentId: null,
        },
      },
    }))

describe('a larger outage', () => {
  it('never removes a machine that a smaller one leaves', () => {
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 1, maxLength: 40 }),
        fc.array(fc.tuple(fc.nat(39), fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 20 }),
        settings,
        removedBefore,
        (fleet, worse, policySettings, before) => {
          // The same machines, and some that answered are silent as well.
          const failing = new Map(worse.map(([index, minutes]) => [index, minutes * minuteMs]))
          const larger = fleet.map((one, index) => ({ ...one, silentMs: one.silentMs ?? failing.get(index) ?? null }))
          const history = historyOf(before)
          const small = removals(fleet, policySettings, history, 1)
          const large = removals(larger, policySettings, history, 1)
          const new_ = [...large.keys()].filter((id) => fleet[Number(id.slice(2))]!.silentMs !== null && !small.has(id))
          expect(new_).toEqual([])
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('that grows goes no faster as time passes', () => {
    const looks = 6
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 4, maxLength: 30 }),
        fc.array(fc.nat(29), { minLength: 1, maxLength: 20 }),
        settings,
        (fleet, worse, policySettings) => {
          // All went together, so that the small outage and the large one differ in their size alone.
          const together = fleet.map((one) => ({
            ...one,
            isTerminated: false,
            silentMs: one.silentMs === null ? null : 20 * minuteMs,
          }))
          const failing = new Set(worse)
          const larger = together.map((one, index) => (failing.has(index) ? { ...one, silentMs: 20 * minuteMs } : one))
          const small = removals(together, policySettings, [], looks)
          const large = removals(larger, policySettings, [], looks)
          for (const [id, at] of large)
            if (together[Number(id.slice(2))]!.silentMs !== null)
              expect(small.get(id) ?? Infinity).toBeLessThanOrEqual(at)
        },
      ),
      { numRuns: 300 },
    )
  })
})

it('looking at a large fleet in which few are silent sorts nothing and counts nobody who is well', () => {
  const fleet = Array.from({ length: 100_000 }, (_, index) => member(`m-${index}`, { attributes: { zone: 'a' } }))
  const silentOnes = Array.from({ length: 1_000 }, (_, n) =>
    member(`s-${n}`, { status: 'unavailable', unavailableSince: nowMs - 1 }),
  )
  const base = evaluate({ members: [...fleet, ...silentOnes] })
  if (base.type !== 'Evaluate') throw new Error('no evaluation')
  let asked = 0
  const counting = {
    ...base.world,
    registered: () => 101_000,
    registeredIn: () => 100_000,
    *suspects() {
      for (const one of silentOnes) {
        asked += 1
        yield one
      }
    },
  }
  policy.decide({ ...base, world: counting }, policy.initial)
  expect(asked).toBe(2 * silentOnes.length)
})
