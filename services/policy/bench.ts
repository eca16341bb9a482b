import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { quietAt } from '#libs/quietHours.ts'
import { readGuards, type Guards } from './guards.ts'
import type { Verdicts } from './state.ts'
import type { Member, World } from './world.ts'

/** When an environment is looked at: by the steady clock, and by the wall clock, which quiet hours go by. */
export interface Moment {
  readonly nowMs: number
  readonly wallMs: number
}

/** The environment that is judged, by which policy, and with what is known at this moment. */
export interface Bench extends Moment {
  readonly environmentId: string
  readonly policy: EnvironmentPolicy
  readonly policyVersion: number
  readonly state: Verdicts
  readonly world: World
  readonly guards: Guards
  /** When the quiet hours end, by the steady clock; null when there are none now. */
  readonly quietUntil: number | null
}

/** Puts together what every clause needs to know; null when nobody knows the environment. */
export function benchOf(environmentId: string, state: Verdicts, world: World, moment: Moment): Bench | null {
  const known = world.policyOf(environmentId)
  if (known === undefined) return null
  const { nowMs, wallMs } = moment
  const quiet = quietAt(known.policy.dynamicRegistration.quietHours, wallMs)
  return {
    ...{ environmentId, ...known, ...moment, state, world },
    guards: readGuards(environmentId, known.policy, world, state, nowMs),
    quietUntil: quiet.isQuiet ? nowMs + quiet.untilMs - wallMs : null,
  }
}

export type RemovalRule = 'terminated' | 'unavailable' | 'not-contactable'

/** Since when the machine has been silent, as far as that may be held against it; null when it answers. */
export function silentSince(member: Member): number | null {
  if (member.status === 'unavailable') return member.unavailableSince
  // One that is late is not given the benefit of the doubt where the provider says that there is no such machine.
  return member.providerState === 'terminated' ? member.lateSince : null
}

/** For how long Remuda itself has seen it silent. */
export function observedSilenceMs({ world, nowMs }: Bench, member: Member): number {
  const since = silentSince(member)
  return since === null ? 0 : world.observedMs(since, nowMs)
}

/** By which rule its removal is due; null when it is not, or not yet. */
export function dueBy(bench: Bench, member: Member): RemovalRule | null {
  const { dynamicRegistration } = bench.policy
  if (silentSince(member) === null) return null
  if (member.providerState === 'terminated' && dynamicRegistration.removeWhenTerminated) return 'terminated'
  if (member.status !== 'unavailable') return null
  if (observedSilenceMs(bench, member) >= dynamicRegistration.removeAfterMs) return 'unavailable'
  return member.notContactableIn !== null && dynamicRegistration.removeWhenNotContactable ? 'not-contactable' : null
}
