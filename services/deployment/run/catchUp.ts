import type { DeploymentEvent } from '#contracts/deployment.ts'
import { hasRole } from '#contracts/eligibility.ts'
import { deadlineOf } from './deadline.ts'
import { progressOn } from './scriptStep.ts'
import { isRolling, latestTask, listed, skippedForRoles, stillIncluded } from './state.ts'
import { includedTargets, type Run, type RunStep, type RunTarget } from './state.ts'
import type { Scene } from './world.ts'

/** The steps on targets that lie behind, are marked for it, and did run or would have: what newcomers make up for. */
export const stepsToCatchUp = (run: Run, stepId: string): readonly RunStep[] =>
  run.steps
    .slice(
      0,
      run.steps.findIndex(({ definition }) => definition.id === stepId),
    )
    .filter((step) => isRolling(step.definition) && step.definition.catchUp && hasRun(step))

type Who = Pick<RunTarget, 'machineId' | 'roles'>

/** What a newcomer has to make up for: of the steps that are marked for it, what its roles ask for and it has not run. */
export const owedBy = (run: Run, stepId: string, who: Who): readonly string[] =>
  stepsToCatchUp(run, stepId).flatMap((step) => (isMissing(run, step, who) ? [step.definition.id] : []))

/** What one that was a target before has to make up for: all that ran without it, or does so now. */
export const missedBy = (run: Run, who: Who): readonly string[] =>
  run.steps
    .filter((step) => hasRun(step) || (step.state === 'running' && !step.machineIds.includes(who.machineId)))
    .flatMap((step) => (isMissing(run, step, who) ? [step.definition.id] : []))

const hasRun = ({ state, reason }: RunStep): boolean => state === 'succeeded' || reason === skippedForRoles

const isMissing = (run: Run, { definition }: RunStep, { machineId, roles }: Who): boolean =>
  isRolling(definition) &&
  hasRole({ roles }, definition.roles) &&
  latestTask(run, definition.id, machineId)?.state !== 'succeeded'

/** What those whom a re-evaluation added still have to run, before it ends. */
export function planCatchUp(
  scene: Scene,
  step: RunStep,
  about: { readonly deploymentId: string; readonly stepId: string },
): readonly DeploymentEvent[] {
  const newcomers = stillIncluded(scene.run, step.machineIds)
  for (const { definition } of stepsToCatchUp(scene.run, step.definition.id)) {
    if (!isRolling(definition)) continue
    const owing = newcomers.filter((target) => hasRole(target, definition.roles))
    // Newcomers do not serve yet, so to work on them takes nothing away.
    const bounds = { sinceMs: step.startedAt, serving: null, sharedBy: owing.length, isCanary: false }
    const { facts, waiting, failures } = progressOn(scene, definition, owing, bounds)
    if (facts.length > 0 || waiting) return facts
    if (failures.length > 0) {
      const reason = `catching up on step ${definition.id}: ${listed(failures, '; ')}`
      return [{ type: 'StepFailed', data: { ...about, reason } }]
    }
  }
  return [{ type: 'StepSucceeded', data: about }]
}

/**
 * What those who came between the steps still have to run before the next one starts. One of them that cannot is left
 * out: who joins a run on the way does not fail it.
 * @returns null when nobody owes anything
 */
export function planDebts(scene: Scene): readonly DeploymentEvent[] | null {
  const { run, created, nowMs } = scene
  if (run.failure !== null) return null
  const debtors = includedTargets(run).filter(({ owes }) => owes.length > 0)
  if (debtors.length === 0) return null
  const isOver = nowMs >= (deadlineOf(run) ?? Infinity)
  const lenient = { ...scene, created: { ...created, elastic: true } }
  for (const { definition, state } of run.steps) {
    if (!isRolling(definition) || state === 'pending' || state === 'running') continue
    const owing = debtors.filter((target) => target.owes.includes(definition.id) && hasRole(target, definition.roles))
    if (isOver) {
      const late = owing.filter(({ machineId }) => latestTask(run, definition.id, machineId)?.state !== 'succeeded')
      if (late.length > 0) return late.map(({ machineId }) => overdue(created.deploymentId, definition.id, machineId))
      continue
    }
    const bounds = { sinceMs: run.latecomers.toldAt, serving: null, sharedBy: owing.length, isCanary: false }
    const { facts, waiting } = progressOn(lenient, { ...definition, onFailure: 'exclude' }, owing, bounds)
    if (facts.length > 0 || waiting) return facts
  }
  return null
}

const overdue = (deploymentId: string, stepId: string, machineId: string): DeploymentEvent => ({
  type: 'TargetExcluded',
  data: {
    ...{ deploymentId, stepId, machineId, cause: 'failed', unavailableSince: null },
    detail: `step ${stepId}: the deployment's time was over before it had made up for it`,
  },
})
