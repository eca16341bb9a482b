import type { Message } from '#contracts/message.ts'
import type { DecidedRemoval } from './state.ts'

/** The command by which a decided removal is carried out, with its cause and its evidence. */
export function deregistration(removal: DecidedRemoval, provider: string | null): Message {
  const { machineId, decisionId, rule, deploymentId, policyVersion } = removal
  const { observedMs, thresholdMs, unavailableSince } = removal
  const kind = rule === 'not-contactable' ? 'not-contactable' : 'policy'
  const cause = { kind, reason: reasonOf(removal, provider), decisionId, deploymentId }
  const evidence = { rule, unavailableSince, observedMs, thresholdMs }
  return { type: 'DeregisterMachine', data: { machineId, cause, evidence, policyVersion } }
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`

function reasonOf({ rule, observedMs, thresholdMs }: DecidedRemoval, provider: string | null): string {
  switch (rule) {
    case 'unavailable':
      return (
        `it did not answer for ${seconds(observedMs)} of observed time; ` +
        `the policy removes after ${seconds(thresholdMs)}`
      )
    case 'not-contactable':
      return 'it could not be contacted when a deployment needed it'
    case 'terminated':
      return `it does not answer, and ${provider ?? 'the provider'} says that it is terminated`
  }
}
