import type { EnrollmentEvent } from '#contracts/enrollment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { TokenEvent } from '#contracts/token.ts'
import { count } from '../format.ts'
import { evidenceWords } from './evidence.ts'
import { causeWords, withRoles, type SentencesOf } from './words.ts'

export const machineSentences: SentencesOf<MachineEvent> = {
  MachineRegistered: ({ name, environmentId, roles, returnedFrom }) =>
    returnedFrom === null
      ? `${name} registered in ${environmentId} ${withRoles(roles)}.`
      : `${name} came back to ${environmentId} ${withRoles(roles)}; it had been removed ${causeWords(returnedFrom)}.`,
  MachineReregistered: ({ machineId }, nameOf) => `${nameOf(machineId)} connected again and renewed its facts.`,
  MachineChanged: ({ name, environmentId, roles }) => `${name} was changed: in ${environmentId} ${withRoles(roles)}.`,
  MachineProbeChanged: ({ machineId, probe }, nameOf) =>
    probe === null
      ? `${nameOf(machineId)} is not probed any more.`
      : `${nameOf(machineId)} is looked after by a ${probe.kind.toUpperCase()} probe.`,
  MachineQuarantined: ({ machineId, detail }, nameOf) => `${nameOf(machineId)} is in quarantine: ${detail}.`,
  MachineReleased: ({ machineId, reason }, nameOf) => `${nameOf(machineId)} left quarantine: ${reason}.`,
  MachineEnabled: ({ machineId }, nameOf) => `${nameOf(machineId)} was enabled.`,
  MachineDisabled: ({ machineId, reason }, nameOf) => `${nameOf(machineId)} was disabled: ${reason}.`,
  MachineDeregistered: ({ name, cause, evidence }) =>
    `${name} was removed ${causeWords(cause)}${evidence === null ? '' : ` (${evidenceWords(evidence, '')})`}.`,
  MachineRestored: ({ name, reason }) => `${name} was restored: ${reason}.`,
}

export const environmentSentences: SentencesOf<EnvironmentEvent> = {
  EnvironmentCreated: ({ environmentId }) => `The environment ${environmentId} was created.`,
  EnvironmentRenamed: ({ environmentId, name }) => `The environment ${environmentId} is now called ${name}.`,
  EnvironmentPolicyChanged: ({ environmentId, policyVersion }) =>
    `The policy of ${environmentId} was changed; it is now version ${policyVersion}.`,
}

export const enrollmentSentences: SentencesOf<EnrollmentEvent> = {
  EnrollmentCreated: ({ environmentId, roles, usesMax }) =>
    `A join token for ${count(usesMax, 'machine')} of ${environmentId} ${withRoles(roles)} was made.`,
  EnrollmentUsed: ({ machineId }, nameOf) => `${nameOf(machineId)} used a join token.`,
  EnrollmentRevoked: ({ reason }) => `A join token was revoked: ${reason}.`,
}

export const tokenSentences: SentencesOf<TokenEvent> = {
  TokenCreated: ({ name, scope }) => `The API token “${name}” with the scope ${scope} was made.`,
  TokenRevoked: ({ tokenId }) => `The API token ${tokenId} was revoked.`,
}
