import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import type { RunStep } from './state.ts'
import type { Scene } from './world.ts'

/** Holds the run until a person says yes or no; nobody saying anything in time is a no. */
export function planApproval(
  { run, created: { deploymentId }, nowMs }: Scene,
  step: RunStep,
  { id: stepId, message, timeLimitMs }: StepOf<'approval'>,
): readonly DeploymentEvent[] {
  const about = { deploymentId, stepId }
  if (run.approval?.stepId !== stepId)
    return [{ type: 'ApprovalRequested', data: { ...about, message, deadlineAt: step.startedAt + timeLimitMs } }]
  switch (run.approval.answer) {
    case 'given':
      return [{ type: 'StepSucceeded', data: about }]
    case 'refused':
      return [{ type: 'StepFailed', data: { ...about, reason: 'rejected by a person' } }]
    case 'open':
      if (nowMs < run.approval.deadlineAt) return []
      return [{ type: 'StepFailed', data: { ...about, reason: 'nobody decided in time' } }]
  }
}
