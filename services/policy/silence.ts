import { speakDuration } from '#libs/units.ts'
import { dueBy, observedSilenceMs, silentSince, type Bench } from './bench.ts'
import type { ClauseRule } from './clause.ts'
import type { Member } from './world.ts'

/** A removal that was decided and neither carried out nor given up for so long has got lost, and is decided again. */
const carriedOutWithinMs = 5 * 60_000

export const elastic: ClauseRule = {
  clause: 'elastic',
  holds: ({ policy }) => policy.dynamicRegistration.enabled,
  detail: (_bench, _member, holds) =>
    holds ? 'machines that stop answering are removed here' : 'machines stay here until a person removes them',
}

export const watched: ClauseRule = {
  clause: 'watched',
  holds: (bench, { registered, enabled, quarantined, environmentId }) =>
    registered && enabled && !quarantined && environmentId === bench.environmentId,
  detail({ environmentId }, member, holds) {
    if (holds) return 'it is listened to'
    if (!member.registered) return 'it is not registered'
    if (member.environmentId !== environmentId) return `it belongs to ${member.environmentId}`
    return `it is ${member.quarantined ? 'quarantined' : 'disabled'}, so nobody listens to it`
  },
}

/** After every break of observation fresh evidence is needed, for as long as it takes to call a machine unavailable. */
export const observing: ClauseRule = {
  clause: 'observing',
  holds({ policy, world, nowMs }) {
    const since = world.observingSince()
    return since !== null && nowMs - since >= policy.health.unavailableAfterMs
  },
  detail({ policy, world, nowMs }, _member, holds) {
    const since = world.observingSince()
    if (since === null) return 'machines are not observed at the moment, so no silence is held against any'
    if (holds) return since === 0 ? 'machines are observed' : `observed for ${speakDuration(nowMs - since)} on end`
    const needed = speakDuration(policy.health.unavailableAfterMs)
    return `observed again for only ${speakDuration(nowMs - since)}; fresh evidence takes ${needed}`
  },
  clearsAt({ policy, world }) {
    const since = world.observingSince()
    return since === null ? null : since + policy.health.unavailableAfterMs
  },
}

export const silent: ClauseRule = {
  clause: 'silent',
  holds: (_bench, member) => silentSince(member) !== null,
  detail({ nowMs }, member, holds) {
    if (!holds) return member.status === 'unknown' ? 'nothing is known of it yet' : `it answers: it is ${member.status}`
    const state = member.status === 'unavailable' ? 'unavailable' : 'late'
    return `it has been ${state} for ${speakDuration(nowMs - (silentSince(member) ?? nowMs))}`
  },
}

export const observedLongEnough: ClauseRule = {
  clause: 'observed-long-enough',
  holds: (bench, member) => dueBy(bench, member) !== null,
  detail(bench, member) {
    const { removeAfterMs, provider } = bench.policy.dynamicRegistration
    const silence = `observed silent for ${speakDuration(observedSilenceMs(bench, member))}`
    switch (dueBy(bench, member)) {
      case 'terminated':
        return `${provider ?? 'the provider'} says that it is terminated, so nothing is waited for`
      case 'not-contactable':
        return `${silence}, and a deployment could not contact it`
      case 'unavailable':
      case null:
        return `${silence} of ${speakDuration(removeAfterMs)}`
    }
  },
  clearsAt(bench, member) {
    const { policy, world, nowMs } = bench
    if (silentSince(member) === null || world.observingSince() === null) return null
    return nowMs + policy.dynamicRegistration.removeAfterMs - observedSilenceMs(bench, member)
  },
}

export const undecided: ClauseRule = {
  clause: 'undecided',
  holds: (bench, member) => pause(bench, member) === null,
  detail: (bench, member) => pause(bench, member)?.detail ?? 'nothing else is under way for it',
  clearsAt: (bench, member) => pause(bench, member)?.untilMs ?? null,
}

/** Why the machine is let be for a while, though its removal would be due. */
function pause({ state, policy, nowMs }: Bench, member: Member): { detail: string; untilMs: number } | null {
  const { guard, health, dynamicRegistration } = policy
  const resumedAt = state.resumedAt.get(member.machineId)
  // Where many came back together, the last ones are given time to do the same.
  if (resumedAt !== undefined && nowMs - resumedAt < guard.windowMs)
    return { detail: 'others that were silent with it have just come back', untilMs: resumedAt + guard.windowMs }

  const decided = state.removals.get(member.machineId)
  if (decided === undefined || !isOfThisSpell(decided.unavailableSince, member)) return null
  const { at, abandonedAt, reverted } = decided
  if (abandonedAt === null) {
    const untilMs = at + carriedOutWithinMs
    return nowMs < untilMs ? { detail: 'its removal is decided and under way', untilMs } : null
  }
  // Whoever takes a decision back means more than to have it decided again at once.
  const untilMs = abandonedAt + (reverted ? dynamicRegistration.removeAfterMs : health.unavailableAfterMs)
  const detail = reverted ? 'a person has taken its removal back' : 'its removal was given up a moment ago'
  return nowMs < untilMs ? { detail, untilMs } : null
}

/** A spell that made a removal due while the machine was only late goes on when it counts as unavailable. */
const isOfThisSpell = (since: number, { unavailableSince, lateSince }: Member): boolean =>
  since === unavailableSince || since === lateSince
