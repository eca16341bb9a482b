import { hasRole } from '#contracts/eligibility.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { fitsOneFact, targetsMax } from './bounds.ts'
import { progressOn } from './scriptStep.ts'
import { search } from './search.ts'
import { includedTargets, isRolling, listed, skippedForRoles, stillIncluded } from './state.ts'
import type { Run, RunStep, RunTarget } from './state.ts'
import { waitingSince, type FleetMachine, type Scene } from './world.ts'

type Reevaluate = StepOf<'reevaluate-targets'>

/**
 * Re-targets a running deployment: waits until the machines it expects are registered and well, writes down who comes,
 * goes and stays and why, and brings the newcomers up to where the deployment stands.
 */
export function planReevaluation(scene: Scene, step: RunStep, definition: Reevaluate): readonly DeploymentEvent[] {
  const about = { deploymentId: scene.created.deploymentId, stepId: definition.id }
  const fail = (reason: string): readonly DeploymentEvent[] => [{ type: 'StepFailed', data: { ...about, reason } }]
  if (step.reevaluated) return planCatchUp(scene, step, about)

  const found = search(scene, definition)
  const { min, max, withinMs } = definition.expect
  const count = found.ready.length
  if (found.error !== null) return fail(found.error)
  if (count > max) return fail(`${count} machines were found, at most ${max} expected`)
  if (found.missing.length === 0 && count >= min) {
    const facts = retarget(scene, definition, found.ready)
    return haveRoom(scene.run, facts)
      ? facts
      : fail(`a deployment takes ${targetsMax} machines, and these are too many`)
  }
  if (scene.nowMs < waitingSince(scene, step.startedAt) + withinMs) return []

  const missing = found.missing.length > 0 ? `: ${listed(found.missing, '; ')}` : ''
  return fail(`after ${withinMs / 1000} s there were ${count} machines, at least ${min} expected${missing}`)
}

function retarget(
  { run, created, world }: Scene,
  { id: stepId, mode, from }: Reevaluate,
  ready: readonly FleetMachine[],
): readonly DeploymentEvent[] {
  const { deploymentId } = created
  const included = includedTargets(run)
  const chosen = new Set(ready.map(({ machineId }) => machineId))
  const standing = new Set(included.map(({ machineId }) => machineId))
  const added = ready
    .filter(({ machineId }) => !standing.has(machineId))
    .map(({ machineId, name, roles }) => ({ machineId, name, roles, reason: `found by step ${stepId}` }))
  const isReplaced = replacedBy(ready, created.targetRoles)
  const leaving = mode === 'add' ? [] : included.filter((one) => !chosen.has(one.machineId) && isReplaced(one))
  // Whom the selector means but who does not answer is away; nothing has taken its place.
  const isAway = (target: RunTarget) => 'roles' in from && hasRole(target, from.roles)
  const removed = leaving
    .filter((target) => !isAway(target))
    .map(({ machineId, name }) => ({ machineId, name, reason: `replaced in step ${stepId}` }))
  const left = new Set(leaving.map(({ machineId }) => machineId))
  const kept = included.map(({ machineId }) => machineId).filter((id) => !left.has(id))
  const catchUp = stepsToCatchUp(run, stepId).map(({ definition }) => definition.id)
  const data = { deploymentId, stepId, added, removed, kept, catchUp, seenPosition: world.position }
  const away = leaving.filter(isAway).map((target) => leftOut(deploymentId, stepId, target))
  return [...away, { type: 'TargetsReevaluated', data }]
}

const haveRoom = ({ targets }: Run, facts: readonly DeploymentEvent[]): boolean =>
  facts.every((fact) => {
    if (fact.type !== 'TargetsReevaluated') return true
    const { added } = fact.data
    const back = added.filter(({ machineId }) => targets.has(machineId)).length
    return targets.size + added.length - back <= targetsMax && fitsOneFact(fact.data)
  })

const leftOut = (deploymentId: string, stepId: string, { machineId }: RunTarget): DeploymentEvent => ({
  type: 'TargetExcluded',
  data: {
    ...{ deploymentId, stepId, machineId },
    cause: 'unhealthy',
    detail: 'it did not answer when the targets were evaluated again',
    unavailableSince: null,
  },
})

/**
 * Machines take the place of targets that do the same work, told by the roles that the release is for: new web servers
 * replace the web servers and leave the databases alone. Where the release is for all machines alike, they replace all.
 */
function replacedBy(ready: readonly FleetMachine[], targetRoles: readonly string[]) {
  const covered = targetRoles.filter((role) => ready.some(({ roles }) => roles.includes(role)))
  return ({ roles }: RunTarget): boolean => targetRoles.length === 0 || covered.some((role) => roles.includes(role))
}

/** The steps on targets that lie behind, are marked for it, and did run or would have: what newcomers make up for. */
const stepsToCatchUp = (run: Run, stepId: string): readonly RunStep[] =>
  run.steps
    .slice(
      0,
      run.steps.findIndex(({ definition }) => definition.id === stepId),
    )
    .filter(
      ({ definition, state, reason }) =>
        isRolling(definition) && definition.catchUp && (state === 'succeeded' || reason === skippedForRoles),
    )

function planCatchUp(
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
