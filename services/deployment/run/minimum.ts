import type { DeploymentKind } from '#contracts/deployment.ts'
import type { Window } from '#contracts/steps/common.ts'
import { machinesAtWork } from './group.ts'
import { latestTask, stillIncluded, type RunStep, type RunTarget } from './state.ts'
import { countOf } from './window.ts'
import { isContactable, waitingSince, type FleetMachine, type Scene } from './world.ts'

/**
 * How many targets a step keeps healthy, and why that can never be, if so. An automatic deployment brings up single
 * machines, often one alone, so it keeps as many as it can.
 * @param targets how many the step has when it starts
 */
export function minimumFor(wanted: Window, targets: number, kind: DeploymentKind) {
  const most = targets - 1
  const counted = countOf(wanted, targets)
  const minimum = kind === 'automatic' ? Math.min(counted, most) : counted
  if (minimum <= most) return { minimum, impossible: null }
  const share = typeof wanted === 'number' ? '' : ` (${wanted})`
  const impossible = `minimumHealthy keeps ${minimum} of ${targets} targets${share}, and while one works only ${most} are left`
  return { minimum, impossible }
}

/** Which of a step's targets do their work: they are well, and this run neither works on them nor has just failed on them. */
export interface Serving {
  readonly minimum: number
  readonly machineIds: ReadonlySet<string>
}

export function servingOf({ run, world }: Scene, { definition, machineIds, minimumHealthy }: RunStep): Serving | null {
  if (minimumHealthy === null) return null
  const atWork = machinesAtWork(run)
  const serving = stillIncluded(run, machineIds).filter(({ machineId }) => {
    const task = latestTask(run, definition.id, machineId)
    return (
      !atWork.has(machineId) && isWell(world.machine(machineId)) && task?.state !== 'failed' && task?.state !== 'lost'
    )
  })
  return { minimum: minimumHealthy, machineIds: new Set(serving.map(({ machineId }) => machineId)) }
}

const isWell = (machine: FleetMachine | undefined): boolean =>
  machine !== undefined && machine.enabled && isContactable(machine) && machine.status !== 'unhealthy'

/**
 * Lets targets begin as long as enough are left that serve. One that does not serve may always begin: to work on it
 * makes nothing worse, so a step also goes on that is below its minimum already.
 */
export function guarded(serving: Serving | null): (target: RunTarget) => boolean {
  if (serving === null) return () => true
  let left = serving.machineIds.size
  return ({ machineId }) => {
    if (!serving.machineIds.has(machineId)) return true
    if (left - 1 < serving.minimum) return false
    left -= 1
    return true
  }
}

/**
 * Why nothing of a step can begin any more, for want of targets that serve: those that do not have had their time to
 * recover. null as long as there is hope.
 */
export function stuckFor(scene: Scene, step: RunStep, { minimum, machineIds }: Serving): string | null {
  const { run, created, world, nowMs } = scene
  const targets = stillIncluded(run, step.machineIds)
  const ill = targets.flatMap(({ machineId }) => (machineIds.has(machineId) ? [] : (world.machine(machineId) ?? [])))
  const since = Math.max(step.startedAt, ...ill.map(({ statusSince }) => statusSince))
  if (ill.length > 0 && nowMs < waitingSince(scene, since) + created.contactBudgetMs) return null
  const left = `${machineIds.size} of ${step.machineIds.length} targets are healthy`
  return `${left} and minimumHealthy keeps ${minimum}, so no other may begin`
}

const turns = ['unhealthy', 'degraded', 'healthy', 'unknown', 'unavailable']

const canaryTurns = ['healthy', 'degraded', 'unhealthy', 'unknown', 'unavailable']

/**
 * The order in which targets have their turn: those with least to lose first, and those that cannot be reached last.
 * Where the first few are to show whether it works, those that are well go first.
 */
export function inTurn(world: Scene['world'], targets: readonly RunTarget[], hasCanary: boolean): readonly RunTarget[] {
  const order = hasCanary ? canaryTurns : turns
  const turnOf = ({ machineId }: RunTarget) => order.indexOf(world.machine(machineId)?.status ?? 'unknown')
  const ranked = targets.map((target) => ({ target, turn: turnOf(target) }))
  return ranked
    .toSorted((a, b) => a.turn - b.turn || (a.target.name < b.target.name ? -1 : 1))
    .map(({ target }) => target)
}
