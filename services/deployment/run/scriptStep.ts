import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { retryAt, verdictOn, type Verdict } from './attempts.ts'
import { machinesAtWork } from './group.ts'
import { dispatch, excludeFailed, excludeUnreachable } from './scriptFacts.ts'
import { guarded, servingOf, stuckFor, type Serving } from './minimum.ts'
import { anyWorker, latestTask, listed, stillIncluded, type RunStep, type RunTarget, type RunTask } from './state.ts'
import { countOf } from './window.ts'
import { isContactable, waitingSince, type Scene } from './world.ts'

type Script = StepOf<'script'>

/** How far a script has got on a set of targets. */
export interface Progress {
  readonly facts: readonly DeploymentEvent[]
  /**
   * Whether something has still to come: a running attempt, a machine that is busy, away, or due for another try; or
   * only that more targets get well.
   */
  readonly waiting: boolean | 'for health'
  /** The targets on which it failed for good, in words. */
  readonly failures: readonly string[]
}

/** A script on every target of the step, as many at once as its window allows. */
export function planOnTargets(scene: Scene, step: RunStep, definition: Script): readonly DeploymentEvent[] {
  const about = { deploymentId: scene.created.deploymentId, stepId: definition.id }
  const targets = stillIncluded(scene.run, step.machineIds)
  if (targets.length === 0) return [{ type: 'StepFailed', data: { ...about, reason: 'no target is left' } }]

  const serving = servingOf(scene, step)
  const { facts, waiting, failures } = progressOn(scene, definition, targets, { sinceMs: step.startedAt, serving })
  if (facts.length > 0) return facts
  if (waiting === 'for health') {
    const reason = stuckFor(scene, step, serving!)
    return reason === null ? [] : [{ type: 'StepFailed', data: { ...about, reason } }]
  }
  if (waiting) return []
  if (failures.length > 0) return [{ type: 'StepFailed', data: { ...about, reason: listed(failures, '; ') } }]
  return [{ type: 'StepSucceeded', data: about }]
}

interface Bounds {
  /** From when on the targets were wanted: a machine that is away has a budget from then on. */
  readonly sinceMs: number
  /** The targets that serve, of whom enough must be left; null where none have to be. */
  readonly serving: Serving | null
}

/**
 * The next facts of a script on some targets: who is left out, who gets it next.
 */
export function progressOn(
  scene: Scene,
  definition: Script,
  targets: readonly RunTarget[],
  { sinceMs, serving }: Bounds,
): Progress {
  const { run, created, nowMs } = scene
  const lastTask = ({ machineId }: RunTarget) => latestTask(run, definition.id, machineId)
  const atWork = machinesAtWork(run)
  const {
    active = [],
    due = [],
    later = [],
    elsewhere = [],
    away = [],
    failed = [],
    unreachable = [],
  } = Object.groupBy(targets, (target) => standingOf(scene, definition, target, sinceMs, atWork))
  const [leaving, failing] = split(failed, (target) => leavesOut(lastTask(target)!, definition, created.elastic))
  const exclusions = leaving.map((target) => excludeFailed(created, definition.id, lastTask(target)!))
  const failures = failing.map((target) => `${target.name}: ${whyOf(lastTask(target)!)}`)
  if (created.elastic) exclusions.push(...unreachable.map((target) => excludeUnreachable(scene, definition.id, target)))
  else failures.push(...unreachable.map(({ name }) => `${name}: could not be contacted in time`))

  // A failure that fails the step stops it: what runs may finish, nothing new begins. And a window is a share of those
  // that stay, so whoever leaves goes first.
  if (failures.length + exclusions.length > 0) return { facts: exclusions, waiting: active.length > 0, failures }
  const room = countOf(definition.window, targets.length) - active.length
  const next = firstFree(scene, due, room, guarded(serving))
  const facts = next.map((target) => dispatch(created, definition, target.machineId, lastTask(target), nowMs))
  const isUnderWay = active.length + later.length + elsewhere.length + away.length > 0
  const isBarred = due.length > 0 && due.every((target) => !guarded(serving)(target))
  return { facts, waiting: isUnderWay || (isBarred ? 'for health' : due.length > 0), failures }
}

/** Once, on one worker: for what belongs to no target, such as making machines or telling a load balancer. */
export function planOnWorker(scene: Scene, step: RunStep, definition: Script): readonly DeploymentEvent[] {
  const { run, created, world, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId: definition.id }
  const task = latestTask(run, definition.id, anyWorker)
  switch (verdictOn(task, definition, nowMs)) {
    case 'active':
    case 'later':
      return []
    case 'succeeded':
      return [{ type: 'StepSucceeded', data: about }]
    case 'failed':
      return [{ type: 'StepFailed', data: { ...about, reason: whyOf(task!) } }]
    case 'due': {
      const workers = world.workersFor(created.environmentId)
      const atWork = machinesAtWork(run)
      const free = workers.find(({ machineId: id }) => !atWork.has(id) && world.isFree(id, created.deploymentId))
      if (free !== undefined) return [dispatch(created, definition, free.machineId, task, nowMs)]
      const wantedSince = task === undefined ? step.startedAt : retryAt(task, definition)
      if (workers.length > 0 || nowMs < waitingSince(scene, wantedSince) + created.contactBudgetMs) return []
      const reason = 'no worker answers: start an agent with --role worker, or the server with REMUDA_WORKER=on'
      return [{ type: 'StepFailed', data: { ...about, reason } }]
    }
  }
}

/**
 * As the verdict on its task, and for one that is due: whether its machine can be contacted, or has been away too long.
 * One that is at work for a step beside this one is left alone until that has ended.
 */
function standingOf(
  scene: Scene,
  definition: Script,
  { machineId }: RunTarget,
  sinceMs: number,
  atWork: ReadonlySet<string>,
): Verdict | 'elsewhere' | 'away' | 'unreachable' {
  const { run, created, world, nowMs } = scene
  const verdict = verdictOn(latestTask(run, definition.id, machineId), definition, nowMs)
  if (verdict === 'active' || verdict === 'succeeded') return verdict
  if (atWork.has(machineId)) return 'elsewhere'
  if (verdict !== 'due') return verdict
  const machine = world.machine(machineId)
  if (machine !== undefined && isContactable(machine)) return 'due'
  const wantedSince = waitingSince(scene, Math.max(sinceMs, machine?.statusSince ?? 0))
  return nowMs < wantedSince + created.contactBudgetMs ? 'away' : 'unreachable'
}

function firstFree(
  { world, created }: Scene,
  due: readonly RunTarget[],
  room: number,
  mayBegin: (target: RunTarget) => boolean,
): readonly RunTarget[] {
  const free: RunTarget[] = []
  for (const target of due) {
    if (free.length >= room) break
    if (world.isFree(target.machineId, created.deploymentId) && mayBegin(target)) free.push(target)
  }
  return free
}

const leavesOut = (task: RunTask, { onFailure }: Script, elastic: boolean): boolean =>
  onFailure === 'exclude' || (elastic && task.state === 'lost')

const whyOf = ({ state, reason, exitCode }: RunTask): string =>
  state === 'lost' ? `lost (${reason})` : reason === 'exit-code' ? `exit code ${exitCode}` : (reason ?? 'failed')

const split = <Item>(items: readonly Item[], goesFirst: (item: Item) => boolean): readonly [Item[], Item[]] => [
  items.filter(goesFirst),
  items.filter((item) => !goesFirst(item)),
]
