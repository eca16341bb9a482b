import { hasRole } from '#contracts/eligibility.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import type { TargetsChange } from '#contracts/targets.ts'
import { stepsToCatchUp } from './catchUp.ts'
import type { Found } from './judge.ts'
import { includedTargets, mayReturn } from './state.ts'
import type { RunTarget } from './state.ts'
import type { FleetMachine, Scene } from './world.ts'

/** Who was left out is told to people; of very many the first are enough. */
const leftOutMax = 400

const isAmong = (some: TargetsChange['added'], id: string): boolean => some.some(({ machineId }) => machineId === id)

/** Of what was found, the targets so far and whom a person has let in: the others came while the person thought. */
export function onlyShown({ run }: Scene, found: Found, shown: TargetsChange | null): Found {
  if (shown === null) return found
  const isShown = ({ machineId }: FleetMachine) =>
    run.targets.get(machineId)?.excluded === null || isAmong(shown.added, machineId)
  const late = found.ready
    .filter((one) => !isShown(one))
    .map(({ machineId, name }) => ({ machineId, name, reason: 'no part of the change that a person approved' }))
  return { ...found, ready: found.ready.filter(isShown), leftOut: [...found.leftOut, ...late] }
}

/** Who comes, goes and stays when these machines are the ones that a step has found, and why. */
export function retarget(
  { run, created, world }: Scene,
  { id: stepId, mode, from }: StepOf<'reevaluate-targets'>,
  { ready, leftOut, heard }: Found,
  shown: TargetsChange | null,
): readonly DeploymentEvent[] {
  const { deploymentId } = created
  const included = includedTargets(run)
  const chosen = new Set(ready.map(({ machineId }) => machineId))
  const standing = new Set(included.map(({ machineId }) => machineId))
  const added = ready
    .filter(({ machineId }) => !standing.has(machineId))
    .map(({ machineId, name, roles }) => ({ machineId, name, roles, reason: `found by step ${stepId}` }))
  const isReplaced = replacedBy(ready, created.targetRoles)
  const mayLeave = ({ machineId }: RunTarget) => shown === null || isAmong(shown.removed, machineId)
  const leaving =
    mode === 'add' ? [] : included.filter((one) => !chosen.has(one.machineId) && isReplaced(one) && mayLeave(one))
  // Whom the selector means but who does not answer is away; nothing has taken its place.
  const isAway = (target: RunTarget) => 'roles' in from && hasRole(target, from.roles)
  const removed = leaving
    .filter((target) => !isAway(target))
    .map(({ machineId, name }) => ({ machineId, name, reason: `replaced in step ${stepId}` }))
  const left = new Set(leaving.map(({ machineId }) => machineId))
  const kept = included.map(({ machineId }) => machineId).filter((id) => !left.has(id))
  const catchUp = stepsToCatchUp(run, stepId).map(({ definition }) => definition.id)
  // Of a target that is away its own exclusion tells.
  const isTold = ({ machineId }: Found['leftOut'][number]) =>
    run.targets.has(machineId) && mayReturn(run.targets.get(machineId))
  const aside = leftOut.filter((one) => !isTold(one)).slice(0, leftOutMax)
  const told = { ...(aside.length > 0 && { leftOut: aside }), ...(heard !== undefined && { heard }) }
  const data = { deploymentId, stepId, added, removed, kept, catchUp, seenPosition: world.position, ...told }
  const away = leaving.filter(isAway).map((target) => gone(deploymentId, stepId, target))
  return [...away, { type: 'TargetsReevaluated', data }]
}

const gone = (deploymentId: string, stepId: string, { machineId }: RunTarget): DeploymentEvent => ({
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
