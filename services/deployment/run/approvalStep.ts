import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import type { RunStep } from './state.ts'
import { askedAgain, withTargets } from './swap/approval.ts'
import type { Scene } from './world.ts'

/** Holds the run until a person says yes or no. */
export function planApproval(
  scene: Scene,
  step: RunStep,
  { id: stepId, message, timeLimitMs }: StepOf<'approval'>,
): readonly DeploymentEvent[] {
  const facts = untilApproved(scene, stepId, message, step.startedAt + timeLimitMs)
  if (facts !== null) return withTargets(scene, facts)
  const done = { type: 'StepSucceeded', data: { deploymentId: scene.created.deploymentId, stepId } } as const
  return askedAgain(scene, message) ?? [done]
}

/**
 * Asks a person once; a no fails the step, and nobody saying anything in time is a no.
 * @returns null when it is approved
 */
export function untilApproved(
  { run: { approval }, created: { deploymentId }, nowMs }: Scene,
  stepId: string,
  message: string,
  deadlineAt: number,
): readonly DeploymentEvent[] | null {
  const about = { deploymentId, stepId }
  if (approval?.stepId !== stepId) return [{ type: 'ApprovalRequested', data: { ...about, message, deadlineAt } }]
  switch (approval.answer) {
    case 'given':
      return null
    case 'refused':
      return [{ type: 'StepFailed', data: { ...about, reason: 'rejected by a person' } }]
    case 'open':
      if (nowMs < approval.deadlineAt) return []
      return [{ type: 'StepFailed', data: { ...about, reason: 'nobody decided in time' } }]
  }
}
