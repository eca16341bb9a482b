import type { DeploymentEvent, TargetOutcome } from '#contracts/deployment.ts'
import type { EnrollmentEvent } from '#contracts/enrollment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { HealthEvent, HealthStatus, ObserverEvent } from '#contracts/health.ts'
import type { MachineEvent, RemovalCause } from '#contracts/machine.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Process } from '#contracts/process.ts'
import type { ProjectEvent, ReleaseEvent } from '#contracts/project.ts'
import type { TokenEvent } from '#contracts/token.ts'

/** Facts as the other services record them, short enough to read a story made of them. */
type Data<Event extends { type: string; data: object }, Type extends Event['type']> = Partial<
  Extract<Event, { type: Type }>['data']
>

export const environmentId = 'staging'
export const deploymentId = '01890a5d-ac96-774b-bcce-b302099a8057'
export const projectId = 'shop'
const key = 'k'.repeat(43)
const facts = {
  hostname: 'h',
  os: 'linux',
  arch: 'x64',
  agentVersion: '1',
  cpus: 2,
  memoryBytes: 1,
  addresses: ['10.0.0.1'],
}

export const policy = EnvironmentPolicy.parse({})
export const environmentCreated = (id = environmentId): EnvironmentEvent => ({
  type: 'EnvironmentCreated',
  data: { environmentId: id, name: id, policy, policyVersion: 1 },
})

const who = (machineId: string) => ({ machineId, name: `${machineId}-name`, environmentId, roles: ['web'] })
export const cause: RemovalCause = { kind: 'policy', reason: 'silent', decisionId: 'd1', deploymentId: null }
export const evidence = { silentMs: 600_000 }

export const registered = (machineId: string, changes: Data<MachineEvent, 'MachineRegistered'> = {}): MachineEvent => ({
  type: 'MachineRegistered',
  data: {
    ...who(machineId),
    ...{ facts, attributes: { zone: 'a' }, publicKey: key, enrollmentId: null, returnedFrom: null },
    ...changes,
  },
})
export const reregistered = (machineId: string): MachineEvent => ({
  type: 'MachineReregistered',
  data: { machineId, facts: { ...facts, agentVersion: '2' }, attributes: {} },
})
export const changed = (machineId: string, changes: Data<MachineEvent, 'MachineChanged'>): MachineEvent => ({
  type: 'MachineChanged',
  data: { ...who(machineId), ...changes },
})
export const disabled = (machineId: string): MachineEvent => ({
  type: 'MachineDisabled',
  data: { machineId, reason: 'repair' },
})
export const enabled = (machineId: string): MachineEvent => ({ type: 'MachineEnabled', data: { machineId } })
export const removed = (machineId: string, why = cause, name = `${machineId}-name`): MachineEvent => ({
  type: 'MachineDeregistered',
  data: { ...who(machineId), name, cause: why, evidence, policyVersion: 3 },
})
export const restored = (machineId: string, name = `${machineId}-name`): MachineEvent => ({
  type: 'MachineRestored',
  data: { ...who(machineId), name, reason: 'too early' },
})

const judged = (machineId: string, kind: 'heartbeat' | 'heartbeat-late' | 'heartbeat-missing') => ({
  machineId,
  at: 5,
  evidence: { kind, lastHeardAt: 1, silentMs: 4, thresholdMs: null, observerId: 'o' },
})
const previous: HealthStatus = 'unknown'
export const healthy = (machineId: string): HealthEvent => ({
  type: 'MachineBecameHealthy',
  data: { ...judged(machineId, 'heartbeat'), previous },
})
export const late = (machineId: string): HealthEvent => ({
  type: 'HealthCheckFailed',
  data: { ...judged(machineId, 'heartbeat-late'), check: 'heartbeat' },
})
export const unavailable = (machineId: string): HealthEvent => ({
  type: 'MachineBecameUnavailable',
  data: { ...judged(machineId, 'heartbeat-missing'), previous },
})
export const forgotten = (machineId: string): HealthEvent => ({ type: 'HealthForgotten', data: { machineId, at: 6 } })

export const withheld = (machineId: string): PolicyEvent => ({
  type: 'RemovalWithheld',
  data: {
    ...{ environmentId, machineId, unavailable: 3, registered: 10, share: 0.3, thresholdShare: 0.2 },
    ...{ policyVersion: 1, clearsWhen: 'fewer are silent' },
  },
})
export const requested = (machineId: string): PolicyEvent => ({
  type: 'RemovalRequested',
  data: {
    ...{ environmentId, machineId, decisionId: 'd1', rule: 'unavailable', unavailableSince: 1, observedMs: 2 },
    ...{ thresholdMs: 3, policyVersion: 1, deploymentId: null, at: 9 },
  },
})
export const resumed = (...machineIds: string[]): PolicyEvent => ({
  type: 'RemovalsResumed',
  data: { environmentId, machineIds, by: 'recovery' },
})
export const abandoned = (machineId: string): PolicyEvent => ({
  type: 'RemovalAbandoned',
  data: { environmentId, machineId, detail: 'it answers', at: 9 },
})
export const rolloutRequested = (...machineIds: string[]): PolicyEvent => ({
  type: 'AutomaticDeploymentRequested',
  data: { environmentId, projectId, version: '1.0.0', deploymentId, machineIds, waitedMs: 1 },
})
export const settled = (good: readonly string[], bad: readonly string[]): PolicyEvent => ({
  type: 'AutomaticDeploymentSettled',
  data: { environmentId, projectId, version: '1.0.0', deploymentId, succeeded: good, failed: bad, at: 9 },
})
export const skipped = (machineId: string): PolicyEvent => ({
  type: 'AutomaticDeploymentSkipped',
  data: { environmentId, projectId, version: '1.0.0', machineId, clause: 'tries-used-up', detail: 'failed 3 times' },
})

export const process = Process.parse({
  steps: [
    { kind: 'script', id: 'install', script: 'true', roles: ['web'] },
    { kind: 'health-check', id: 'check', name: 'Check' },
  ],
})
export const projectCreated: ProjectEvent = { type: 'ProjectCreated', data: { projectId, name: 'Shop' } }
export const released = (version = '1.0.0', targetRoles: readonly string[] = ['web']): ReleaseEvent => ({
  type: 'ReleaseCreated',
  data: { projectId, version, notes: '', process, processVersion: 1, variables: [], targetRoles },
})

export const created = (changes: Data<DeploymentEvent, 'DeploymentCreated'> = {}): DeploymentEvent => ({
  type: 'DeploymentCreated',
  data: {
    ...{ deploymentId, projectId, version: '1.0.0', environmentId, kind: 'release', machineIds: null },
    ...{
      process,
      variables: [],
      targetRoles: ['web'],
      elastic: true,
      contactBudgetMs: 1,
      taskLeaseMs: 1,
      createdAt: 1,
    },
    ...changes,
  },
})
export const started = (id = deploymentId): DeploymentEvent => ({
  type: 'DeploymentStarted',
  data: { deploymentId: id, startedAt: 1 },
})
const outcome = (result: TargetOutcome) => (machineId: string) => ({
  ...{ machineId, name: `${machineId}-name`, outcome: result, reason: result === 'succeeded' ? null : 'because' },
})
export const succeeded = (machineIds: readonly string[], id = deploymentId): DeploymentEvent => ({
  type: 'DeploymentSucceeded',
  data: { deploymentId: id, outcomes: machineIds.map(outcome('succeeded')) },
})
export const failed = (good: readonly string[], bad: readonly string[], id = deploymentId): DeploymentEvent => ({
  type: 'DeploymentFailed',
  data: {
    deploymentId: id,
    reason: 'a step failed',
    outcomes: [...good.map(outcome('succeeded')), ...bad.map(outcome('failed'))],
  },
})
export const cancelled = (machineIds: readonly string[] = [], id = deploymentId): DeploymentEvent => ({
  type: 'DeploymentCancelled',
  data: { deploymentId: id, reason: 'enough', outcomes: machineIds.map(outcome('cancelled')) },
})
const target = (machineId: string) => ({ machineId, name: `${machineId}-name`, roles: ['web'] })
const explained = (machineId: string) => ({ machineId, name: `${machineId}-name`, reason: 'disabled' })
export const evaluated = (included: readonly string[], excluded: readonly string[] = []): DeploymentEvent => ({
  type: 'TargetsEvaluated',
  data: { deploymentId, included: included.map(target), excluded: excluded.map(explained) },
})
export const reevaluated = (added: readonly string[], left: readonly string[]): DeploymentEvent => ({
  type: 'TargetsReevaluated',
  data: {
    ...{ deploymentId, stepId: 'again', kept: [], catchUp: [], seenPosition: 1, removed: left.map(explained) },
    added: added.map((id) => ({ ...target(id), reason: 'new' })),
  },
})
export const excluded = (
  machineId: string,
  why: 'not-contactable' | 'failed' | 'lost' = 'not-contactable',
): DeploymentEvent => ({
  type: 'TargetExcluded',
  data: { deploymentId, stepId: 'install', machineId, cause: why, detail: 'no answer', unavailableSince: null },
})
export const step = (type: 'StepSucceeded', stepId = 'install'): DeploymentEvent => ({
  type,
  data: { deploymentId, stepId },
})
export const stepStarted = (stepId = 'install'): DeploymentEvent => ({
  type: 'StepStarted',
  data: { deploymentId, stepId, machineIds: [], startedAt: 1 },
})
export const stepEnded = (type: 'StepFailed' | 'StepSkipped', stepId = 'install'): DeploymentEvent => ({
  type,
  data: { deploymentId, stepId, reason: 'because' },
})

const run = (machineId: string, attempt = 1) => ({
  ...{ deploymentId, taskId: `${deploymentId}.install.${machineId}.${attempt}`, machineId, stepId: 'install', attempt },
})
export const taskId = (machineId: string, attempt = 1) => run(machineId, attempt).taskId
export const dispatched = (machineId: string, attempt = 1): DeploymentEvent => ({
  type: 'TaskDispatched',
  data: { ...run(machineId, attempt), dispatchedAt: 1, timeLimitMs: 1 },
})
export const taskStarted = (machineId: string): DeploymentEvent => ({
  type: 'TaskStarted',
  data: { ...run(machineId), startedAt: 1 },
})
export const taskSucceeded = (machineId: string): DeploymentEvent => ({
  type: 'TaskSucceeded',
  data: { ...run(machineId), outputs: { url: 'http://x' }, durationMs: 7, logTruncated: false },
})
export const taskFailed = (machineId: string, detail = ''): DeploymentEvent => ({
  type: 'TaskFailed',
  data: { ...run(machineId), reason: 'exit-code', exitCode: 3, detail, durationMs: 7, logTruncated: true, failedAt: 1 },
})
export const taskLost = (machineId: string): DeploymentEvent => ({
  type: 'TaskLost',
  data: { ...run(machineId), reason: 'lease', failedAt: 1 },
})
export const logged = (machineId: string, chunk: number, text: string) => ({
  type: 'TaskLogged' as const,
  data: { deploymentId, taskId: taskId(machineId), machineId, chunk, text },
})

export const enrollmentCreated: EnrollmentEvent = {
  type: 'EnrollmentCreated',
  data: { enrollmentId: 'e1', environmentId, roles: ['web'], secretHash: 'hash', expiresAt: 1_000, usesMax: 2 },
}
export const tokenCreated: TokenEvent = {
  type: 'TokenCreated',
  data: { tokenId: 't1', name: 'CI', scope: 'write', secretHash: 'hash', expiresAt: null },
}

export const quarantined = (machineId: string): MachineEvent => ({
  type: 'MachineQuarantined',
  data: { machineId, detail: 'two sessions use its key' },
})
export const letOut = (machineId: string): MachineEvent => ({
  type: 'MachineReleased',
  data: { machineId, reason: 'the copy is gone' },
})
export const deferred = (machineId: string): PolicyEvent => ({
  type: 'RemovalDeferred',
  data: {
    ...{ environmentId, machineId, clause: 'running-at-provider', detail: 'the cloud says it runs' },
    ...{ unavailableSince: 1, observedMs: 2, policyVersion: 1, at: 9 },
  },
})
export const heldBy = (incidentId: string, machineId: string): PolicyEvent => ({
  type: 'RemovalWithheld',
  data: { ...(withheld(machineId) as Extract<PolicyEvent, { type: 'RemovalWithheld' }>).data, incidentId },
})
export const massFailure = (incidentId: string, machineIds: readonly string[], env = environmentId): PolicyEvent => ({
  type: 'MassFailureDetected',
  data: {
    ...{ environmentId: env, incidentId, domain: { attribute: 'zone', value: 'a' }, at: 9, machineIds },
    ...{ unavailable: machineIds.length, registered: 10, share: 0.3, thresholdShare: 0.2, policyVersion: 1 },
  },
})
export const cleared = (incidentId: string): PolicyEvent => ({
  type: 'MassFailureCleared',
  data: { environmentId, incidentId, domain: { attribute: 'zone', value: 'a' }, at: 9, by: 'recovery' },
})
const gap = (observerId: string, startedAt: number) => ({ observerId, reason: 'stopped' as const, startedAt })
export const gapStarted = (observerId: string, startedAt: number): ObserverEvent => ({
  type: 'ObservationGapStarted',
  data: gap(observerId, startedAt),
})
export const gapEnded = (observerId: string, startedAt: number, endedAt: number): ObserverEvent => ({
  type: 'ObservationGapEnded',
  data: { ...gap(observerId, startedAt), endedAt },
})
