import type { DeploymentEvent } from '#contracts/deployment.ts'
import { activeTasks, currentStep, type Run, type RunStep } from './state.ts'
import type { Scene } from './world.ts'

/** The steps that run side by side now: the next one that has not ended, and those that are joined with it. */
export function currentGroup(run: Run): readonly RunStep[] {
  const { steps } = run
  const current = currentStep(run)
  if (current === undefined) return []
  let first = steps.indexOf(current)
  let end = first + 1
  while (first > 0 && isJoined(steps[first])) first--
  while (isJoined(steps[end])) end++
  return steps.slice(first, end)
}

const isJoined = (step: RunStep | undefined): boolean => step?.definition.start === 'with-previous'

/** The machines on which this run has a task: steps that run side by side share them one task at a time. */
export const machinesAtWork = (run: Run): ReadonlySet<string> =>
  new Set(activeTasks(run).map(({ machineId }) => machineId))

export const isAtWork = (run: Run, stepId: string): boolean => activeTasks(run).some((task) => task.stepId === stepId)

/** What may still be said of a step that begins nothing new. */
const endings = new Set<DeploymentEvent['type']>([
  ...(['StepSucceeded', 'StepFailed', 'TargetExcluded'] as const),
  ...(['ServingChanged', 'MachinesCreated', 'MachinesDestroyed', 'MachineDeregistrationRequested'] as const),
])

/**
 * The next facts of a step beside which another one has failed: what runs may finish, nothing new begins. A step that
 * runs after failures too is not stopped by one.
 * @param facts what would be due otherwise
 */
export function haltedBeside(
  { run, created }: Scene,
  { definition }: RunStep,
  facts: readonly DeploymentEvent[],
): readonly DeploymentEvent[] {
  const failed = currentGroup(run).find(({ state }) => state === 'failed')
  if (failed === undefined || definition.condition !== 'success') return facts
  const ending = facts.filter(({ type }) => endings.has(type))
  if (ending.length > 0 || isAtWork(run, definition.id)) return ending
  const reason = `stopped, since step ${failed.definition.id} beside it failed`
  return [{ type: 'StepFailed', data: { deploymentId: created.deploymentId, stepId: definition.id, reason } }]
}
