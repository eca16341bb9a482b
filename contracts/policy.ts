import { z } from 'zod'
import { deploymentId, durationMs, environmentId, instantMs, machineId, projectId, version } from './ids.ts'
import { fact, request } from './message.ts'

const machineIds = z.array(machineId).readonly()

export const PolicyCommand = z.discriminatedUnion('type', [
  /** A person lets withheld removals go: the named machines, or all when none is named. */
  request('ReleaseWithheldRemovals', { environmentId, machineIds: machineIds.nullable() }),
  /** A person lets a stopped release be deployed automatically again. */
  request('CloseReleaseCircuit', { environmentId, projectId, version }),
  /** Carries out a removal that was decided; asked for by the event that decided it. */
  request('CarryOutRemoval', { environmentId, machineId, decisionId: z.string() }),
])
export type PolicyCommand = z.infer<typeof PolicyCommand>

const about = { environmentId, machineId }
const rollout = { environmentId, projectId, version }

// Every verdict is an event with its evidence. These shapes are stored for ever.
export const PolicyEvent = z.discriminatedUnion('type', [
  fact('RemovalRequested', {
    ...about,
    decisionId: z.string(),
    at: instantMs,
    rule: z.enum(['unavailable', 'not-contactable']),
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
  }),
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
