import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import { isActive, type Run, type RunTask } from '../state.ts'
import { effectOf, undoneBy } from './swapState.ts'

/**
 * What an attempt says that did not succeed, or that was given up before: it may have made something all the same,
 * which is still to be undone. Kept apart from outputs, since no step that goes on may build on it.
 */
export function reportedBy(
  run: Run,
  deploymentId: string,
  { taskId, machineId, stepId, attempt, state }: RunTask,
  { outcome, outputs }: TaskResult,
): readonly DeploymentEvent[] {
  if (outputs === undefined || Object.keys(outputs).length === 0 || !isUndone(run, stepId)) return []
  const isOfUse = state === 'lost' || (outcome === 'failed' && isActive({ state }))
  if (!isOfUse || run.status === 'ended' || run.swap.reported.some((said) => said.taskId === taskId)) return []
  return [{ type: 'OutputsReported', data: { deploymentId, taskId, machineId, stepId, attempt, outputs } }]
}

const isUndone = ({ steps }: Run, stepId: string): boolean =>
  steps.some(
    ({ definition }) =>
      undoneBy(definition) === stepId || (definition.id === stepId && effectOf(definition)?.does === 'create'),
  )
