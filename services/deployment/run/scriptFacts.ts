import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { attemptLimitMs } from './attempts.ts'
import type { Created, RunTarget, RunTask } from './state.ts'
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
  const cause = 'not-contactable'
  const detail = `it could not be contacted within ${contactBudgetMs / 1000} s`
  const machine = world.machine(machineId)
  // One that was never heard of has not become unavailable at any time.
  const unavailableSince = machine?.status === 'unavailable' ? machine.statusSince : null
  return { type: 'TargetExcluded', data: { deploymentId, stepId, machineId, cause, detail, unavailableSince } }
}

/** Hands the next attempt to a machine. Its id tells the attempt, so that handing it out twice makes it one. */
export function dispatch(
  { deploymentId }: Created,
  definition: StepOf<'script'>,
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
