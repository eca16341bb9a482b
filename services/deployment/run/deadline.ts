import type { DeploymentEvent } from '#contracts/deployment.ts'
import { speakDuration } from '#libs/units.ts'
import { currentGroup } from './group.ts'
import { stopTasks } from './interruption.ts'
import type { Run } from './state.ts'
import { waitingSince, type Scene } from './world.ts'

/** By when a run has to be through; null for one that has not started, or that has all the time there is. */
export const deadlineOf = ({ created, startedAt, status }: Run): number | null =>
  created?.timeLimitMs === undefined || status === 'queued' ? null : startedAt + created.timeLimitMs

/**
 * Cuts a run whose time is over: what runs is told to stop, and then the step fails, so that the steps for a failure
 * still clear up. They have their own limits; a run that has failed is not cut again.
 * @param due gives what would be due otherwise: a step that has succeeded by then has
 * @returns null as long as there is time
 */
export function planOverdue(
  scene: Scene,
  due: (scene: Scene) => readonly DeploymentEvent[],
): readonly DeploymentEvent[] | null {
  const { run, created, nowMs } = scene
  const deadlineAt = deadlineOf(run)
  if (deadlineAt === null || run.failure !== null || nowMs < deadlineAt) return null
  const step = currentGroup(run).find(({ state }) => state === 'running' || state === 'pending')
  const reason = `the deployment's time limit of ${speakDuration(created.timeLimitMs ?? 0)} is over`
  const stopping = stopTasks(scene, reason, waitingSince(scene, deadlineAt))
  // At the end only those are at work who make up for what they missed, which fails nothing.
  if (stopping !== null || step === undefined) return stopping
  const succeeded = due(scene).filter(({ type }) => type === 'StepSucceeded')
  if (succeeded.length > 0) return succeeded
  const about = { deploymentId: created.deploymentId, stepId: step.definition.id }
  return [{ type: 'StepFailed', data: { ...about, reason } }]
}
