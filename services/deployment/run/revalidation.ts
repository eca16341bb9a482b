import type { DeploymentEvent } from '#contracts/deployment.ts'
import { hasRole, ineligibility, workerRole } from '#contracts/eligibility.ts'
import { targetsMax } from './bounds.ts'
import { owedBy } from './catchUp.ts'
import { search } from './search.ts'
import { includedTargets, isPartOf, type RunStep, type RunTarget } from './state.ts'
import { isContactable, type FleetMachine, type Scene } from './world.ts'

type Revalidated = Extract<DeploymentEvent, { type: 'TargetsRevalidated' }>['data']
type Joining = Revalidated['joined'][number]
type Leaving = Extract<DeploymentEvent, { type: 'TargetExcluded' }>

/** How many are named in one fact; the others follow in the next. */
const namedPerFactMax = 400
/** While a person is asked, newcomers are told of now and then and not one by one. */
const toldEveryMs = 10_000

/**
 * What has become of the targets since they were evaluated, before the next step makes something of them: who came, who
 * does other work now, and who does none any more. Machines that are removed or disabled leave at once, elsewhere.
 */
export function planRevalidation(scene: Scene, next: RunStep): readonly DeploymentEvent[] {
  const { run, created, world, nowMs } = scene
  // A run that clears up after a failure takes nobody in.
  if (run.failure !== null) return []
  const stepId = next.definition.id
  const { leaving, changed } = retagged(scene, stepId)
  if (leaving.length > 0) return leaving
  const isTakingIn = created.process.joiners === 'include'
  const comers = newcomers(scene).filter(({ machineId }) => isTakingIn || !run.latecomers.ignored.has(machineId))
  const room = isTakingIn ? Math.max(0, targetsMax - run.targets.size) : 0
  const joined = [...changed, ...comers.slice(0, room).map((one) => joining(scene, stepId, one, cameOf(scene, one)))]
  const ignored = (isTakingIn ? [] : comers).map(({ machineId, name }) => ({
    ...{ machineId, name },
    reason: 'it came after the targets were evaluated, and is left to automatic deployments',
  }))
  if (joined.length + ignored.length === 0) return []
  const data = {
    ...{ deploymentId: created.deploymentId, stepId, seenPosition: world.position, at: nowMs },
    ...{ joined: joined.slice(0, namedPerFactMax), ignored: ignored.slice(0, namedPerFactMax) },
  }
  return [{ type: 'TargetsRevalidated', data }]
}

/** The same while a person is asked whether to go on, so that they know; not one fact for each newcomer. */
export const revalidateMeanwhile = (scene: Scene, step: RunStep): readonly DeploymentEvent[] =>
  scene.nowMs < Math.max(scene.run.latecomers.toldAt, step.startedAt) + toldEveryMs ? [] : planRevalidation(scene, step)

/** Targets whose roles were changed: from here on they do the work of the new ones, or none. */
function retagged(scene: Scene, stepId: string): { leaving: readonly Leaving[]; changed: readonly Joining[] } {
  const { created, world, run } = scene
  const { deploymentId, targetRoles } = created
  const leaving: Leaving[] = []
  const changed: Joining[] = []
  for (const target of includedTargets(run)) {
    const machine = world.machine(target.machineId)
    if (machine === undefined || isSame(machine.roles, target.roles)) continue
    const what = `its roles were ${namesOf(target.roles)} and are ${namesOf(machine.roles)}`
    const isLost = hasRole(target, targetRoles) && !hasRole(machine, targetRoles)
    if (!isLost && !machine.roles.includes(workerRole)) changed.push(joining(scene, stepId, machine, what))
    else {
      const about = { deploymentId, stepId, machineId: machine.machineId, unavailableSince: null }
      leaving.push({ type: 'TargetExcluded', data: { ...about, cause: 'roles-changed', detail: what } })
    }
  }
  return { leaving, changed }
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((role) => others.includes(role))
const namesOf = (roles: readonly string[]): string => roles.join(', ') || 'none'

const joining = ({ run }: Scene, stepId: string, machine: FleetMachine, reason: string): Joining => {
  const { machineId, name, roles } = machine
  return { machineId, name, roles, reason, catchUp: owedBy(run, stepId, machine) }
}

const cameOf = ({ run }: Scene, { machineId }: FleetMachine): string => {
  const before = run.targets.get(machineId)?.excluded
  return before == null ? 'it came after the targets were evaluated' : `it came back (it was left out: ${before.cause})`
}

/** Who could be a target by the rule that chose the others, and is none. A re-evaluation to come sees for itself. */
function newcomers(scene: Scene): readonly FleetMachine[] {
  const { run } = scene
  return meant(scene).filter(({ machineId }) => !run.barred.has(machineId) && isNew(run.targets.get(machineId)))
}

const isNew = (target: RunTarget | undefined): boolean =>
  target === undefined || (target.excluded !== null && returning.has(target.excluded.cause))
const returning: ReadonlySet<string> = new Set([
  ...['not-contactable', 'removed', 'disabled', 'unhealthy', 'roles-changed'],
])

function meant(scene: Scene): readonly FleetMachine[] {
  const { run, created, world } = scene
  const { environmentId, kind, machineIds, targetRoles } = created
  const looks = run.steps.filter(
    ({ definition }) => definition.kind === 'reevaluate-targets' && isPartOf(kind, definition),
  )
  if (looks.some(({ state }) => state === 'pending' || state === 'running')) return []
  const definition = looks.findLast(({ reevaluated }) => reevaluated)?.definition
  if (definition?.kind === 'reevaluate-targets')
    return 'roles' in definition.from ? search(scene, definition, 0).ready : []
  if (kind === 'automatic' || machineIds !== null) return []
  return [...world.inEnvironment(environmentId)].filter(
    (machine) =>
      !machine.roles.includes(workerRole) &&
      ineligibility(machine, environmentId, targetRoles) === null &&
      isContactable(machine),
  )
}
