import type { DeploymentEvent } from '#contracts/deployment.ts'
import { listed, type Run, type RunStep } from '../state.ts'
import type { Scene } from '../world.ts'
import { undoneBy } from './swapState.ts'

/** The steps that undo others, in the order in which they have their turn: the last to have been done is undone first. */
const undoings = ({ steps }: Run): readonly RunStep[] => {
  const placeOf = (step: RunStep) => steps.findIndex(({ definition }) => definition.id === undoneBy(step.definition))
  const all = steps.filter(({ definition }) => undoneBy(definition) !== undefined)
  return all.toSorted((a, b) => placeOf(b) - placeOf(a))
}

/**
 * Undoes what a run has done that failed or is cancelled, one step at a time, with a time limit of their own that the
 * run's does not cut; one that fails does not keep the others from their turn. A run that went well undoes nothing.
 * @returns null when all that is to be undone has been, or could not be
 */
export function planCompensation(
  scene: Scene,
  planStep: (scene: Scene, step: RunStep) => readonly DeploymentEvent[],
): readonly DeploymentEvent[] | null {
  const { run, created, nowMs } = scene
  const step = undoings(run).find(({ state }) => state === 'pending' || state === 'running')
  if (step === undefined) return null
  if (step.state === 'running') return planStep(scene, step)
  const about = { deploymentId: created.deploymentId, stepId: step.definition.id }
  const hasFailed = run.failure !== null || run.cancel !== null
  if (hasFailed && hasBegun(run, undoneBy(step.definition)))
    return [{ type: 'StepStarted', data: { ...about, machineIds: [], startedAt: nowMs } }]
  const reason = hasFailed ? 'there is nothing to undo' : 'nothing has failed'
  return [{ type: 'StepSkipped', data: { ...about, reason } }]
}

function hasBegun({ steps, tasks }: Run, stepId: string | undefined): boolean {
  const step = steps.find(({ definition }) => definition.id === stepId)
  if (step === undefined) return false
  const { kind } = step.definition
  // What machines run has begun when one of them was given it.
  return kind === 'script' || kind === 'http' ? tasks.some((task) => task.stepId === stepId) : step.startedAt > 0
}

/** Whether a task is one of those that undo. */
export const isUndoing = ({ steps }: Run, stepId: string): boolean =>
  steps.some(({ definition }) => definition.id === stepId && undoneBy(definition) !== undefined)

/** What could not be undone, to be told after the reason for which it was to be. */
export function undoFailures(run: Run): string {
  const failed = undoings(run).filter(({ state }) => state === 'failed')
  if (failed.length === 0) return ''
  const each = failed.map(({ definition, reason }) => `step ${definition.id}: ${reason}`)
  return `; undoing failed: ${listed(each, '; ')}`
}
