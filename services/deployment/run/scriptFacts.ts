import type { DeploymentEvent } from '#contracts/deployment.ts'
import { attemptLimitMs } from './attempts.ts'
import { runsOnWorker, type Created, type RunTarget, type RunTask, type TriedStep } from './state.ts'
import type { Scene } from './world.ts'

/** A target whose last attempt failed for good leaves the deployment, which goes on without it. */
export function excludeFailed({ deploymentId }: Created, stepId: string, task: RunTask): DeploymentEvent {
  const { machineId, state, reason, exitCode } = task
  const cause = state === 'lost' ? 'lost' : 'failed'
  const detail = `step ${stepId}: ${reason === 'exit-code' ? `exit code ${exitCode}` : (reason ?? cause)}`
  return { type: 'TargetExcluded', data: { deploymentId, stepId, machineId, cause, detail, unavailableSince: null } }
}

/** A target that could not be contacted leaves the deployment, and policy hears of it. */
export function excludeUnreachable(
  { created: { deploymentId, contactBudgetMs }, world }: Scene,
  stepId: string,
  { machineId }: RunTarget,
): DeploymentEvent {
  const machine = world.machine(machineId)
  const isDirty = machine !== undefined && machine.dirtyWith !== null
  // One that answers and may only not be given work is no case for policy.
  const cause = isDirty ? 'unhealthy' : 'not-contactable'
  const why = isDirty ? 'an abandoned task may still run on it, after' : 'it could not be contacted within'
  const detail = `${why} ${contactBudgetMs / 1000} s`
  // One that was never heard of has not become unavailable at any time.
  const unavailableSince = machine?.status === 'unavailable' ? machine.statusSince : null
  return { type: 'TargetExcluded', data: { deploymentId, stepId, machineId, cause, detail, unavailableSince } }
}

/** A target that a person wants to go on without: it stays out, whatever becomes of its machine. */
export function excludeAsAsked(
  { deploymentId }: Created,
  stepId: string,
  { machineId }: RunTarget,
  task: RunTask | undefined,
): DeploymentEvent {
  const detail = `left out by a decision: step ${stepId}: ${whyOf(task)}`
  return {
    type: 'TargetExcluded',
    data: { deploymentId, stepId, machineId, cause: 'person', detail, unavailableSince: null },
  }
}

/** Hands the next attempt to a machine. Its id tells the attempt, so that handing it out twice makes it one. */
export function dispatch(
  { deploymentId }: Created,
  definition: TriedStep,
  machineId: string,
  before: RunTask | undefined,
  nowMs: number,
): DeploymentEvent {
  const stepId = definition.id
  const attempt = (before?.attempt ?? 0) + 1
  const taskId = `${deploymentId}.${stepId}.${machineId}.${attempt}`
  const about = { deploymentId, taskId, stepId, machineId, attempt }
  return {
    type: 'TaskDispatched',
    data: { ...about, dispatchedAt: nowMs, timeLimitMs: attemptLimitMs(definition, before, nowMs) },
  }
}

export const unreached = 'could not be contacted in time'

/** @param task the attempt that failed; without one, its machine could not be reached */
export const whyOf = (task: RunTask | undefined): string => {
  if (task === undefined) return unreached
  const { state, reason, exitCode } = task
  return state === 'lost' ? `lost (${reason})` : reason === 'exit-code' ? `exit code ${exitCode}` : (reason ?? 'failed')
}

const choices = ['retry', 'exclude', 'ignore', 'fail'] as const

/** Asks a person what becomes of a target that has failed. What runs on a worker has no target to leave out. */
export function askAbout(
  { created: { deploymentId }, nowMs }: Scene,
  definition: TriedStep,
  machineId: string,
  task: RunTask | undefined,
): DeploymentEvent {
  const hasFailed = task?.state === 'failed' || task?.state === 'lost'
  const options = choices.filter((choice) => choice !== 'exclude' || !runsOnWorker(definition))
  const data = { deploymentId, stepId: definition.id, machineId, reason: whyOf(hasFailed ? task : undefined), options }
  return { type: 'DecisionRequested', data: { ...data, deadlineAt: nowMs + definition.askWithinMs } }
}
