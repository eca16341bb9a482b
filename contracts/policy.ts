import { z } from 'zod'
import {
  decisionId,
  deploymentId,
  durationMs,
  environmentId,
  instantMs,
  machineId,
  projectId,
  reason,
  version,
} from './ids.ts'
import { fact, request } from './message.ts'
import { providerGroup } from './providerGroup.ts'
import { removalQuestions } from './removalQuestions.ts'

const machineIds = z.array(machineId).readonly()

export const PolicyCommand = z.discriminatedUnion('type', [
  /** A person lets withheld removals go: the named machines, or all when none is named. */
  request('ReleaseWithheldRemovals', { environmentId, machineIds: machineIds.nullable() }),
  /** A person lets a stopped release be deployed automatically again. */
  request('CloseReleaseCircuit', { environmentId, projectId, version }),
  /** A person takes back what one decision did: the machines that it removed are restored, those under way are kept. */
  request('RevertDecision', { environmentId, decisionId, reason }),
  /** What a policy would have done in a time that is gone, and what would follow from a failure. They record nothing. */
  request('BacktestPolicy', removalQuestions.BacktestPolicy),
  request('WhatIf', removalQuestions.WhatIf),
  /** Whether the machine would be removed now, and by which clause it is, or is not. Records nothing. */
  request('ExplainRemoval', removalQuestions.ExplainRemoval),
  /** Carries out a removal that was decided; asked for by the event that decided it. */
  request('CarryOutRemoval', { environmentId, machineId, decisionId: z.string() }),
  /** How the providers answer that this server knows, and those that policies name; records nothing. */
  request('ListProviders', {}),
  /** Who is in a group, as the environment's provider says; records nothing. */
  request('ListGroup', { environmentId, group: providerGroup, since: instantMs }),
])
export type PolicyCommand = z.infer<typeof PolicyCommand>

/** The machines that are judged together, by an attribute such as the zone; null: the whole environment. */
export const FailureDomain = z.object({ attribute: z.string(), value: z.string() }).nullable()

/** What a provider of machines, such as a cloud, says of one. `unknown`: it does not list the machine. */
export const ProviderState = z.enum(['running', 'stopped', 'terminated', 'unknown'])
export type ProviderState = z.infer<typeof ProviderState>

/** Why a removal that is due waits although no mass failure holds it. */
export const DeferralClause = z.enum([
  'protected',
  'start-up',
  'quiet-hours',
  'running-at-provider',
  'provider-silent',
  'still-answers',
])
export type DeferralClause = z.infer<typeof DeferralClause>

const about = { environmentId, machineId }
const incident = {
  environmentId,
  incidentId: z.string(),
  domain: FailureDomain,
  at: instantMs,
}
const rollout = { environmentId, projectId, version }

// Every verdict is an event with its evidence. These shapes are stored for ever.
export const PolicyEvent = z.discriminatedUnion('type', [
  fact('RemovalRequested', {
    ...about,
    decisionId: z.string(),
    at: instantMs,
    rule: z.enum(['unavailable', 'not-contactable', 'terminated']),
    unavailableSince: instantMs,
    observedMs: durationMs,
    thresholdMs: durationMs,
    policyVersion: z.number(),
    deploymentId: deploymentId.nullable(),
  }),
  fact('RemovalWithheld', {
    ...about,
    unavailable: z.number(),
    registered: z.number(),
    share: z.number(),
    thresholdShare: z.number(),
    policyVersion: z.number(),
    clearsWhen: z.string(),
    incidentId: z.string().optional(),
    domain: FailureDomain.optional(),
    at: instantMs.optional(),
  }),
  /** The machine would be removed, but a clause of the policy speaks against it now. Told once for each clause. */
  fact('RemovalDeferred', {
    ...about,
    clause: DeferralClause,
    detail: z.string(),
    unavailableSince: instantMs.nullable(),
    observedMs: durationMs,
    policyVersion: z.number(),
    at: instantMs,
  }),
  /** Many machines went silent together: one incident, however many they are. */
  fact('MassFailureDetected', {
    ...incident,
    machineIds,
    unavailable: z.number(),
    registered: z.number(),
    share: z.number(),
    thresholdShare: z.number(),
    policyVersion: z.number(),
  }),
  fact('MassFailureCleared', { ...incident, by: z.enum(['recovery', 'removal', 'policy']) }),
  /** A person took a decision back. What is to be undone for each machine follows from this. */
  fact('DecisionReverted', { environmentId, decisionId: z.string(), machineIds, reason: z.string(), at: instantMs }),
  /** What a provider says anew of machines; those of which it says the same as before are not named. */
  fact('ProviderAnswered', {
    environmentId,
    provider: z.string(),
    machines: z.array(z.object({ machineId, state: ProviderState })).readonly(),
    at: instantMs,
  }),
  /** The provider cannot be asked: that is no evidence of anything. */
  fact('ProviderFellSilent', { environmentId, provider: z.string(), detail: z.string(), at: instantMs }),
  fact('RemovalsResumed', {
    environmentId,
    machineIds,
    by: z.enum(['recovery', 'person', 'rate']),
    at: instantMs.optional(),
  }),
  /** The removal that was decided did not happen, since the machine answers or is gone already. */
  fact('RemovalAbandoned', { ...about, detail: z.string(), at: instantMs }),
  fact('AutomaticDeploymentRequested', {
    ...rollout,
    deploymentId,
    machineIds,
    waitedMs: durationMs,
  }),
  fact('AutomaticDeploymentSettled', {
    ...rollout,
    deploymentId,
    succeeded: machineIds,
    failed: machineIds,
    at: instantMs,
  }),
  fact('AutomaticDeploymentSkipped', {
    ...rollout,
    machineId,
    clause: z.enum(['tries-used-up', 'circuit-open', 'newer-installed', 'refused', 'disabled']),
    detail: z.string(),
  }),
  fact('AutomaticDeploymentAbandoned', {
    environmentId,
    deploymentId,
    detail: z.string(),
    at: instantMs.optional(),
  }),
  fact('ReleaseCircuitOpened', { ...rollout, machineIds, windowMs: durationMs }),
  fact('ReleaseCircuitClosed', rollout),
])
export type PolicyEvent = z.infer<typeof PolicyEvent>
