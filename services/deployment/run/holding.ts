import type { DeploymentEvent } from '#contracts/deployment.ts'
import { expectation } from './reevaluateStep.ts'
import { latestTask, listed, runsOnTargets, stillIncluded, type Run, type RunStep } from './state.ts'
import { heldBack } from './swap/heldBack.ts'
import { isContactable, type FleetMachine, type Hold, type Scene, type World } from './world.ts'

/** Machines are often at work for others for a moment: that is a wait worth telling only when it lasts. */
const busyToldAfterMs = 10_000
/** Instants that are worked out anew each time may differ by so much and are still the same. */
const sameInstantMs = 60_000
/** How often at most it is told how far a wait has got. */
const movedToldEveryMs = 5_000

/**
 * For a run that has nothing to do now: why it waits for others, told once for each reason, and that it does so no more.
 * What it waits for in its own steps is told by those.
 */
export function planHolding(run: Run, world: World, nowMs: number): readonly DeploymentEvent[] {
  const { created, held } = run
  if (created === null || (run.status !== 'queued' && run.status !== 'running')) return []
  const { deploymentId } = created
  const scene = { run, created, world, nowMs }
  const hold = run.status === 'queued' ? world.holdOf(deploymentId) : runningHold(scene)
  if (hold !== null) {
    const isNews = !isSame(held, hold) || hasMoved(held, hold, nowMs)
    const at = run.status === 'running' ? { at: nowMs } : {}
    return isNews ? [{ type: 'DeploymentHeld', data: { deploymentId, ...hold, ...at } }] : []
  }
  return held === null || run.status === 'queued' ? [] : [{ type: 'DeploymentResumed', data: { deploymentId } }]
}

const isSame = (held: Run['held'], { reason, until }: Hold): boolean =>
  held?.reason === reason &&
  (held.until === until || (held.until !== null && until !== null && Math.abs(held.until - until) < sameInstantMs))

const runningHold = (scene: Scene): Hold | null =>
  scene.run.cancel === null ? (expectation(scene) ?? heldBack(scene) ?? busyHold(scene)) : heldBack(scene)

/** A wait that gets on is told again, and not at every look. */
const hasMoved = (held: Run['held'], { detail }: Hold, nowMs: number): boolean =>
  held?.at !== undefined && held.detail !== detail && nowMs >= held.at + movedToldEveryMs

/** Nothing of the run is at work, and the machines that could be are so for others. */
function busyHold(scene: Scene): Hold | null {
  const { run, world } = scene
  if (run.active.size > 0) return null
  const busy = run.steps.filter(({ state }) => state === 'running').flatMap((step) => busyIn(scene, step))
  if (busy.length === 0) return null
  const machines = busy.flatMap((machineId) => world.machine(machineId) ?? [])
  const [dirty, taken] = [
    machines.filter(({ dirtyWith }) => dirtyWith !== null),
    machines.filter(({ dirtyWith }) => dirtyWith === null),
  ]
  const details = [
    ...(taken.length > 0 ? [`at work for other deployments: ${namesOf(taken)}`] : []),
    ...(dirty.length > 0 ? [`an abandoned task may still run on ${namesOf(dirty)}`] : []),
  ]
  return { reason: 'machine-busy', detail: details.join('; '), until: null }
}

const namesOf = (machines: readonly FleetMachine[]) => listed(machines.map(({ name }) => name))

function busyIn({ run, world, created, nowMs }: Scene, step: RunStep): readonly string[] {
  const { definition, machineIds, startedAt } = step
  if (definition.kind !== 'script' && definition.kind !== 'package') return []
  const isBusy = (machineId: string) => {
    const machine = world.machine(machineId)
    if (machine === undefined) return false
    return machine.dirtyWith !== null || (isContactable(machine) && !world.isFree(machineId, created.deploymentId))
  }
  const members = runsOnTargets(definition)
    ? stillIncluded(run, machineIds).map(({ machineId }) => machineId)
    : world.workersFor(created.environmentId).map(({ machineId }) => machineId)
  const last = members.map((machineId) => latestTask(run, definition.id, machineId))
  if (nowMs < Math.max(startedAt, ...last.map((task) => task?.endedAt ?? 0)) + busyToldAfterMs) return []
  return members.filter((machineId, at) => last[at]?.state !== 'succeeded' && isBusy(machineId))
}
