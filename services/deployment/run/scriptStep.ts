import type { DeploymentEvent } from '#contracts/deployment.ts'
import { canariesOf, planHold } from './canary.ts'
import { machinesAtWork } from './group.ts'
import { guarded, servingOf, stuckFor, type Serving } from './minimum.ts'
import { openQuestionsMax, questionAbout } from './questions.ts'
import { askAbout, dispatch, excludeAsAsked, excludeFailed, excludeUnreachable } from './scriptFacts.ts'
import { unreached, whyOf } from './scriptFacts.ts'
import { standingOf, type Standing } from './standing.ts'
import {
  latestTask,
  listed,
  stillIncluded,
  type RollingStep,
  type RunStep,
  type RunTarget,
  type RunTask,
} from './state.ts'
import { countOf } from './window.ts'
import type { Scene } from './world.ts'

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

/** A script or a package on every target of the step, as many at once as its window allows. */
export function planOnTargets(scene: Scene, step: RunStep, definition: RollingStep): readonly DeploymentEvent[] {
  const about = { deploymentId: scene.created.deploymentId, stepId: definition.id }
  const targets = stillIncluded(scene.run, step.machineIds)
  if (targets.length === 0) return [{ type: 'StepFailed', data: { ...about, reason: 'no target is left' } }]

  const held = planHold(scene, step, definition)
  if (held !== null) return held
  const serving = servingOf(scene, step)
  const canaries = canariesOf(scene, step, definition)
  const { facts, waiting, failures } = progressOn(scene, definition, canaries ?? targets, {
    ...{ sinceMs: step.startedAt, serving, sharedBy: targets.length },
    isCanary: canaries !== null,
  })
  if (facts.length > 0) return facts
  if (waiting === 'for health') {
    const reason = stuckFor(scene, step, serving!)
    return reason === null ? [] : [{ type: 'StepFailed', data: { ...about, reason } }]
  }
  if (waiting) return []
  if (failures.length > 0) return [{ type: 'StepFailed', data: { ...about, reason: listed(failures, '; ') } }]
  if (canaries !== null) return [{ type: 'CanaryPassed', data: { ...about, at: scene.nowMs } }]
  return [{ type: 'StepSucceeded', data: about }]
}

interface Bounds {
  /** From when on the targets were wanted: a machine that is away has a budget from then on. */
  readonly sinceMs: number
  /** The targets that serve, of whom enough must be left; null where none have to be. */
  readonly serving: Serving | null
  /** Among how many targets a window is shared out. */
  readonly sharedBy: number
  /** Whether they go first: then none is left out for a failure, which is what they are there to show. */
  readonly isCanary: boolean
}

/** The next facts of a script on some targets: who is left out, who is asked about, who gets it next. */
export function progressOn(
  scene: Scene,
  definition: RollingStep,
  targets: readonly RunTarget[],
  { sinceMs, serving, sharedBy, isCanary }: Bounds,
): Progress {
  const { run, created, nowMs } = scene
  const lastTask = ({ machineId }: RunTarget) => latestTask(run, definition.id, machineId)
  const atWork = machinesAtWork(run)
  const standings = Object.groupBy(targets, (target) => standingOf(scene, definition, target, sinceMs, atWork))
  const { active = [], due = [], later = [], elsewhere = [], away = [], asked = [], unasked = [] } = standings
  const { exclusions, failures } = lossesOf(scene, definition, standings, isCanary)

  // A failure that fails the step stops it: what runs may finish, nothing new begins. And a window is a share of those
  // that stay, so whoever leaves goes first.
  if (failures.length + exclusions.length > 0) return { facts: exclusions, waiting: active.length > 0, failures }
  const questions = unasked
    .slice(0, Math.max(0, openQuestionsMax - asked.length))
    .map((target) => askAbout(scene, definition, target.machineId, lastTask(target)))
  if (questions.length > 0) return { facts: questions, waiting: true, failures }
  const room = countOf(definition.window, sharedBy) - active.length
  const next = firstFree(scene, due, room, guarded(serving))
  const facts = next.map((target) => dispatch(created, definition, target.machineId, lastTask(target), nowMs))
  const isUnderWay = [active, later, elsewhere, away, asked, unasked].some(({ length }) => length > 0)
  const isBarred = due.length > 0 && due.every((target) => !guarded(serving)(target))
  return { facts, waiting: isUnderWay || (isBarred ? 'for health' : due.length > 0), failures }
}

/** Who leaves the deployment, and who fails the step. */
function lossesOf(
  scene: Scene,
  { id: stepId, ...definition }: RollingStep,
  { failed = [], unreachable = [], 'left out': leftOut = [] }: Partial<Record<Standing, readonly RunTarget[]>>,
  isCanary: boolean,
) {
  const { run, created } = scene
  const lastTask = ({ machineId }: RunTarget) => latestTask(run, stepId, machineId)
  const [leaving, failing] = split(
    failed,
    (target) => !isCanary && leavesOut(lastTask(target), definition, created.elastic),
  )
  const outOfReach = created.elastic ? unreachable : []
  const exclusions = [
    ...leaving.map((target) => excludeFailed(created, stepId, lastTask(target)!)),
    ...leftOut.map((target) => excludeAsAsked(created, stepId, target, lastTask(target))),
    ...outOfReach.map((target) => excludeUnreachable(scene, stepId, target)),
  ]
  const hopeless = created.elastic ? failing : [...failing, ...unreachable]
  const failures = hopeless.map((target) => {
    const why = unreachable.includes(target) ? unreached : whyOf(lastTask(target))
    const isOpen = questionAbout(run, stepId, target.machineId)?.answer === 'open'
    return `${target.name}: ${why}${isOpen ? '; nobody decided in time' : ''}`
  })
  return { exclusions, failures }
}

const leavesOut = (
  task: RunTask | undefined,
  { onFailure }: Pick<RollingStep, 'onFailure'>,
  elastic: boolean,
): boolean => onFailure === 'exclude' || (elastic && task?.state === 'lost' && onFailure !== 'ask')

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

const split = <Item>(items: readonly Item[], goesFirst: (item: Item) => boolean): readonly [Item[], Item[]] => [
  items.filter(goesFirst),
  items.filter((item) => !goesFirst(item)),
]
