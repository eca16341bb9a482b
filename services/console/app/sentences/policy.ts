import type { HealthEvent, ObserverEvent } from '#contracts/health.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import { count, duration, listed, percent } from '../format.ts'
import { healthWords } from './evidence.ts'
import type { NameOf, SentencesOf } from './words.ts'

const names = (ids: readonly string[], nameOf: NameOf) => listed(ids.map(nameOf))

export const healthSentences: SentencesOf<HealthEvent> = {
  MachineBecameHealthy: ({ machineId, previous }, nameOf) =>
    `${nameOf(machineId)} is healthy${previous === 'unknown' ? '' : ` again (was ${previous})`}.`,
  HealthCheckFailed: ({ machineId, check, evidence }, nameOf) =>
    `A health check (${check}) of ${nameOf(machineId)} failed: ${healthWords(evidence)}.`,
  HealthCheckPassed: ({ machineId, check }, nameOf) =>
    `The health check ${check} of ${nameOf(machineId)} passes again.`,
  MachineBecameDegraded: ({ machineId, evidence }, nameOf) =>
    `${nameOf(machineId)} answers, with a warning: ${healthWords(evidence)}.`,
  MachineBecameUnhealthy: ({ machineId, evidence }, nameOf) =>
    `${nameOf(machineId)} answers, but a check fails: ${healthWords(evidence)}.`,
  MachineBecameUnavailable: ({ machineId, evidence }, nameOf) =>
    `${nameOf(machineId)} does not answer: ${healthWords(evidence)}.`,
  HealthForgotten: ({ machineId }, nameOf) => `The health of ${nameOf(machineId)} is no longer watched.`,
}

export const observerSentences: SentencesOf<ObserverEvent> = {
  ObservationGapStarted: ({ reason }) => `Remuda stopped observing (${reason}); nothing is counted against a machine.`,
  ObservationGapEnded: ({ startedAt, endedAt }) => `Remuda observes again after ${duration(endedAt - startedAt)}.`,
}

const ruleWords = {
  unavailable: (observed: string, limit: string) => `silent for ${observed}, limit ${limit}`,
  'not-contactable': () => 'a deployment could not contact it',
  terminated: () => 'it is silent, and its provider says that it is terminated',
} as const

const domainWords = (domain: { readonly attribute: string; readonly value: string } | null) =>
  domain === null ? '' : ` of ${domain.attribute} ${domain.value}`

export const policySentences: SentencesOf<PolicyEvent> = {
  RemovalRequested: ({ machineId, rule, observedMs, thresholdMs }, nameOf) =>
    `Policy decided to remove ${nameOf(machineId)}: ${ruleWords[rule](duration(observedMs), duration(thresholdMs))}.`,
  RemovalWithheld: ({ machineId, unavailable, registered, share, thresholdShare }, nameOf) =>
    `The removal of ${nameOf(machineId)} is held back: ${unavailable} of ${registered} machines (${percent(share)}) ` +
    `stopped answering, above the guard of ${percent(thresholdShare)}.`,
  RemovalDeferred: ({ machineId, detail }, nameOf) => `${nameOf(machineId)} is not removed for now: ${detail}.`,
  MassFailureDetected: ({ unavailable, registered, share, thresholdShare, domain }) =>
    `${unavailable} of ${registered} machines${domainWords(domain)} (${percent(share)}) stopped answering together, ` +
    `above the guard of ${percent(thresholdShare)}.`,
  MassFailureCleared: ({ domain, by }) => {
    const how = { recovery: 'machines answer again', removal: 'they were removed', policy: 'the policy was changed' }
    return `The mass failure${domainWords(domain)} is over: ${how[by]}.`
  },
  DecisionReverted: ({ machineIds, reason }, nameOf) =>
    `A decision was taken back for ${names(machineIds, nameOf)}: ${reason}.`,
  ProviderAnswered: ({ provider, machines }) =>
    `${provider} says something else of ${count(machines.length, 'machine')} than before.`,
  ProviderFellSilent: ({ provider, detail }) => `${provider} cannot be asked: ${detail}.`,
  RemovalsResumed: ({ machineIds, by }, nameOf) => {
    const how = { recovery: 'machines answer again', person: 'a person let them go', rate: 'its rate allows it' }
    return `The guard no longer holds ${names(machineIds, nameOf)}: ${how[by]}.`
  },
  RemovalAbandoned: ({ machineId, detail }, nameOf) => `${nameOf(machineId)} was not removed after all: ${detail}`,
  AutomaticDeploymentRequested: ({ projectId, version, machineIds, waitedMs }, nameOf) =>
    `${projectId} ${version} goes to ${names(machineIds, nameOf)} by itself, after waiting ${duration(waitedMs)} for others.`,
  AutomaticDeploymentSettled: ({ projectId, version, succeeded, failed }) =>
    `${projectId} ${version} went by itself to ${count(succeeded.length, 'machine')}` +
    (failed.length === 0 ? '.' : `, and failed on ${failed.length}.`),
  AutomaticDeploymentSkipped: ({ machineId, projectId, version, detail }, nameOf) =>
    `${nameOf(machineId)} does not get ${projectId} ${version}: ${detail}`,
  AutomaticDeploymentAbandoned: ({ detail }) => `An automatic deployment was given up: ${detail}`,
  ReleaseCircuitOpened: ({ projectId, version, machineIds, windowMs }) =>
    `Automatic deployments of ${projectId} ${version} stopped: it failed on ${count(machineIds.length, 'machine')} ` +
    `within ${duration(windowMs)}.`,
  ReleaseCircuitClosed: ({ projectId, version }) =>
    `Automatic deployments of ${projectId} ${version} are allowed again.`,
}
