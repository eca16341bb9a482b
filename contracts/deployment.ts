import { z } from 'zod'
import { DeploymentDecision, FailureChoice } from './decision.ts'
import { deploymentOptions, hold } from './deploymentOptions.ts'
import { deploymentId, durationMs, environmentId, instantMs, machineId, machinesMax, projectId, reason } from './ids.ts'
import { stepId, version } from './ids.ts'
import { fact, request } from './message.ts'
import { ProviderHeard } from './providerGroup.ts'
import { PinnedPackages } from './steps/package.ts'
import { parentsMax } from './steps/deployRelease.ts'
import { Outputs, StoredProcess, StoredVariables } from './process.ts'
import { leftBehind, swapFacts } from './swap.ts'
import { targetCommands, targetFacts, TargetsChange } from './targets.ts'
import { TaskResult } from './taskResult.ts'

/** `release`: asked for, to all targets or named ones, one at a time. `automatic`: brings single machines up to date. */
export const DeploymentKind = z.enum(['release', 'automatic'])
export type DeploymentKind = z.infer<typeof DeploymentKind>

const machineIds = z.array(machineId).max(machinesMax).readonly()
/** The deployments that led to one, the first of all first. */
const parents = z.array(z.object({ deploymentId, projectId })).max(parentsMax).readonly()
const taskId = z.string().min(1).max(200)

const task = { deploymentId, taskId, machineId }

export const DeploymentCommand = z.discriminatedUnion('type', [
  request('CreateDeployment', {
    deploymentId,
    projectId,
    version,
    environmentId,
    kind: DeploymentKind,
    /** null: every machine of the environment that has one of the release's roles. */
    machineIds: machineIds.nullable(),
    /** Where another deployment makes this one: that, and those that made it in turn. Only a deployment says so. */
    parents: parents.optional(),
    ...deploymentOptions,
  }),
  request('CancelDeployment', { deploymentId, reason }),
  /** A person's answer: to an approval, or about a target that has failed. What it is about may be left out if clear. */
  request('DecideDeployment', {
    deploymentId,
    decision: DeploymentDecision,
    comment: z.string().max(500),
    stepId: stepId.optional(),
    machineId: machineId.optional(),
  }),
  /** A new deployment of the same release to the targets on which this one did not succeed. */
  request('RetryDeployment', { deploymentId, newDeploymentId: deploymentId }),
  /** A new deployment of the same release with the same restrictions, whatever became of this one. */
  request('RedeployDeployment', { deploymentId, newDeploymentId: deploymentId }),
  ...targetCommands,
  request('RecordTaskStarted', { ...task }),
  request('RecordTaskResult', { ...task, result: TaskResult }),
  request('AppendTaskLog', {
    ...task,
    chunk: z.number().int().positive(),
    text: z.string().max(256 * 1024),
  }),
  /** The script, its environment and limits, for the gateway that hands the task to the machine. Records nothing. */
  request('GetWorkOrder', { ...task }),
])
export type DeploymentCommand = z.infer<typeof DeploymentCommand>

export const Target = z.object({
  machineId,
  name: z.string(),
  roles: z.array(z.string()).readonly(),
})
export type Target = z.infer<typeof Target>

export const TargetOutcome = z.enum(['succeeded', 'failed', 'lost', 'excluded', 'replaced', 'cancelled', 'untouched'])
export type TargetOutcome = z.infer<typeof TargetOutcome>

const outcomes = z
  .array(
    z.object({
      machineId,
      name: z.string(),
      outcome: TargetOutcome,
      reason: z.string().nullable(),
    }),
  )
  .readonly()
const explained = z.array(z.object({ machineId, name: z.string(), reason: z.string() })).readonly()
const step = { deploymentId, stepId }
const run = { ...task, stepId, attempt: z.number().int().positive() }

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const DeploymentEvent = z.discriminatedUnion('type', [
  fact('DeploymentCreated', {
    deploymentId,
    projectId,
    version,
    environmentId,
    kind: DeploymentKind,
    machineIds: machineIds.nullable(),
    ...deploymentOptions,
    /** When `startAt` is, by the steady clock. */
    startDueAt: instantMs.optional(),
    /** How long a task that is to stop may take for it before it is given up. */
    cancelGraceMs: durationMs.optional(),
    process: StoredProcess,
    variables: StoredVariables,
    targetRoles: z.array(z.string()).readonly(),
    packages: PinnedPackages.optional(),
    /** Whether a machine that cannot be contacted is left out (elastic) or fails the deployment (static). */
    elastic: z.boolean(),
    contactBudgetMs: durationMs,
    taskLeaseMs: durationMs,
    /** What it may take from its start. Those of older versions have all the time there is. */
    timeLimitMs: durationMs.optional(),
    parents: parents.optional(),
    createdAt: instantMs,
  }),
  /** It waits for others, and why: told when the reason changes. */
  fact('DeploymentHeld', { deploymentId, ...hold }),
  /** One that has started, and was held since, goes on. */
  fact('DeploymentResumed', { deploymentId }),
  fact('DeploymentStarted', { deploymentId, startedAt: instantMs }),
  fact('TargetsEvaluated', { deploymentId, included: z.array(Target).readonly(), excluded: explained }),
  fact('StepStarted', {
    ...step,
    /** In the order in which they have their turn. */
    machineIds,
    startedAt: instantMs,
    /** How many of them stay healthy: counted once, so that targets which leave do not lower it. */
    minimumHealthy: z.number().int().nonnegative().optional(),
  }),
  fact('StepSucceeded', step),
  fact('StepFailed', { ...step, reason: z.string() }),
  fact('StepSkipped', { ...step, reason: z.string() }),
  fact('TaskDispatched', { ...run, dispatchedAt: instantMs, timeLimitMs: durationMs }),
  fact('TaskStarted', { ...run, startedAt: instantMs }),
  fact('TaskSucceeded', { ...run, outputs: Outputs, durationMs, logTruncated: z.boolean() }),
  fact('TaskFailed', {
    ...run,
    reason: z.string(),
    exitCode: z.number().nullable(),
    detail: z.string(),
    durationMs,
    logTruncated: z.boolean(),
    failedAt: instantMs,
  }),
  fact('TaskLost', { ...run, reason: z.string(), failedAt: instantMs }),
  fact('TaskCancelRequested', { ...task, reason: z.string() }),
  fact('TargetsReevaluated', {
    ...step,
    added: z.array(Target.extend({ reason: z.string() })).readonly(),
    removed: explained,
    kept: machineIds,
    /** The earlier steps that the machines added still have to run. */
    catchUp: z.array(stepId).readonly(),
    seenPosition: z.number(),
    /** Who was named or found and is no target all the same. */
    leftOut: explained.optional(),
    /** What a provider of machines was heard to say, where its group was looked for. */
    heard: ProviderHeard.optional(),
  }),
  ...targetFacts,
  /** The first targets of a step are through: from now on the others are held back for a time, or by a question. */
  fact('CanaryPassed', { ...step, at: instantMs }),
  fact('ApprovalRequested', {
    ...{ ...step, message: z.string(), deadlineAt: instantMs, change: TargetsChange.optional() },
    /** The targets it is asked about, where it may mean traffic or destruction. */
    machineIds: machineIds.optional(),
  }),
  fact('ApprovalGiven', { ...step, comment: z.string(), givenAt: instantMs.optional() }),
  fact('ApprovalRefused', { ...step, comment: z.string() }),
  /** A target has failed, and a person is to say what becomes of it; nobody saying anything in time fails it. */
  fact('DecisionRequested', {
    ...step,
    machineId,
    reason: z.string(),
    options: z.array(FailureChoice).readonly(),
    deadlineAt: instantMs,
  }),
  fact('DecisionMade', { ...step, machineId, decision: FailureChoice, comment: z.string(), decidedAt: instantMs }),
  /** A step wants another release deployed, by a deployment with this id. */
  fact('ChildDeploymentRequested', {
    ...step,
    childId: deploymentId,
    projectId,
    version,
    environmentId,
    machineIds: machineIds.nullable(),
    parents,
  }),
  fact('ChildCancelRequested', { ...step, childId: deploymentId, reason: z.string() }),
  ...swapFacts,
  fact('MachineDeregistrationRequested', { ...step, machineId, name: z.string() }),
  fact('DeploymentCancelRequested', { deploymentId, reason: z.string(), requestedAt: instantMs }),
  fact('DeploymentSucceeded', { deploymentId, outcomes, leftBehind }),
  fact('DeploymentFailed', { deploymentId, reason: z.string(), outcomes, leftBehind }),
  fact('DeploymentCancelled', { deploymentId, reason: z.string(), outcomes, leftBehind }),
])
export type DeploymentEvent = z.infer<typeof DeploymentEvent>
