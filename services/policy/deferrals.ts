import { speakDuration } from '#libs/units.ts'
import { silentSince, type Bench } from './bench.ts'
import type { ClauseRule } from './clause.ts'
import type { Member } from './world.ts'

/**
 * The provider says that the machine is gone, and yet it answers. That is never settled by removing it; a person has to
 * look. It is told only when a machine that is really gone would have become late by now.
 */
export const conflict: ClauseRule = {
  clause: 'still-answers',
  holds: ({ policy, nowMs }, member) =>
    member.providerState !== 'terminated' ||
    silentSince(member) !== null ||
    nowMs - (member.providerSaidAt ?? nowMs) < policy.health.lateAfterMs,
  detail: ({ policy }, _member, holds) =>
    holds ? 'no provider says otherwise' : `it still answers, though ${providerOf(policy)} says that it is terminated`,
}

const kept: ClauseRule = {
  clause: 'protected',
  holds: (bench, member) => labelOf(bench, member) === undefined,
  detail: (bench, member, holds) =>
    holds ? 'no label protects it' : `its label ${labelOf(bench, member)} protects it; only a person removes it`,
}

/** A machine that is there and does not answer is lost, and not gone: removing it would hide that. */
const running: ClauseRule = {
  clause: 'running-at-provider',
  holds: ({ policy }, { providerState }) => policy.dynamicRegistration.provider === null || providerState !== 'running',
  detail: ({ policy }, _member, holds) =>
    holds ? 'no provider says that it is running' : `${providerOf(policy)} says that it is running, so it is lost`,
}

/** No answer is no evidence, and neither is one that has not been given yet. */
const providerSilent: ClauseRule = {
  clause: 'provider-silent',
  holds: ({ policy }, { providerState }) =>
    policy.dynamicRegistration.provider === null || (providerState !== null && providerState !== 'silent'),
  detail({ policy }, { providerState }, holds) {
    if (policy.dynamicRegistration.provider === null) return 'no provider is asked about it'
    if (holds) return `${providerOf(policy)} says: ${providerState}`
    if (providerState === null) return `${providerOf(policy)} has not said anything of it yet`
    return `${providerOf(policy)} cannot be asked, so nobody knows whether it is there`
  },
}

const startUp: ClauseRule = {
  clause: 'start-up',
  holds: ({ policy, nowMs }, { startedAt }) =>
    startedAt === null || nowMs - startedAt >= policy.dynamicRegistration.startUpGraceMs,
  detail({ policy, nowMs }, { startedAt }, holds) {
    const grace = speakDuration(policy.dynamicRegistration.startUpGraceMs)
    if (holds) return `its start-up grace of ${grace} is over`
    return `it came ${speakDuration(nowMs - (startedAt ?? nowMs))} ago and has ${grace} to start up`
  },
  clearsAt: ({ policy }, { startedAt }) =>
    startedAt === null ? null : startedAt + policy.dynamicRegistration.startUpGraceMs,
}

const quiet: ClauseRule = {
  clause: 'quiet-hours',
  holds: ({ quietUntil }) => quietUntil === null,
  detail: ({ quietUntil, nowMs }, _member, holds) =>
    holds ? 'these are no quiet hours' : `quiet hours last for another ${speakDuration((quietUntil ?? nowMs) - nowMs)}`,
  clearsAt: ({ quietUntil }) => quietUntil,
}

/** What makes a removal wait that is due: first what lasts, so that what passes is not told again every night. */
export const deferrals: readonly ClauseRule[] = [kept, running, providerSilent, startUp, quiet]

/** A label is a role, or an attribute with the value that it must have. */
function labelOf({ policy }: Bench, { roles, attributes }: Member): string | undefined {
  return policy.dynamicRegistration.protectedLabels.find((label) => {
    const at = label.indexOf('=')
    return at < 0 ? roles.includes(label) : attributes[label.slice(0, at)] === label.slice(at + 1)
  })
}

const providerOf = ({ dynamicRegistration }: Bench['policy']): string => dynamicRegistration.provider ?? 'the provider'
