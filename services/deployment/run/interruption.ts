import type { DeploymentEvent } from '#contracts/deployment.ts'
import { cancelled } from './ending.ts'
import { activeTasks, includedTargets, nearestStep } from './state.ts'
import type { Created, Run, RunTask } from './state.ts'
import { isUndoing } from './swap/compensation.ts'
import { waitingSince, type FleetMachine, type Scene } from './world.ts'

/** How long a cancelled task may take to end, in deployments that were made when this was no setting yet. */
const cancelGraceBeforeMs = 60_000
export const cancelGraceMsOf = ({ cancelGraceMs }: Pick<Created, 'cancelGraceMs'>): number =>
  cancelGraceMs ?? cancelGraceBeforeMs

/**
 * An attempt is lost when its machine is gone, when nothing has been heard of it for longer than its lease, or when it
 * goes on and on: its machine ends it at the time limit, so one that is still there a whole lease later never ends.
 */
export function loseTasks(scene: Scene): readonly DeploymentEvent[] {
  const { run, created, nowMs } = scene
  if (run.active.size === 0) return []
  return activeTasks(run).flatMap((task) => {
    const reason = reasonOfLoss(scene, task)
    return reason === null ? [] : [lost(created.deploymentId, task, reason, nowMs)]
  })
}

function reasonOfLoss(scene: Scene, task: RunTask): string | null {
  const { world, created, nowMs } = scene
  if (world.machine(task.machineId)?.registered !== true) return 'machine-removed'
  if (world.leaseExpired(task.taskId)) return 'lease-expired'
  const overdueAt = waitingSince(scene, task.dispatchedAt + task.timeLimitMs) + created.taskLeaseMs
  return nowMs > overdueAt ? 'time-limit' : null
}

const lost = (
  deploymentId: string,
  { taskId, stepId, machineId, attempt }: RunTask,
  reason: string,
  failedAt: number,
): DeploymentEvent => ({
  type: 'TaskLost',
  data: { deploymentId, taskId, stepId, machineId, attempt, reason, failedAt },
})

/** Nobody knows whether it still runs, so the run goes on without it and the machine gets nothing else for now. */
export function givenUp({ run, created, nowMs }: Scene, task: RunTask): readonly DeploymentEvent[] {
  const { deploymentId } = created
  const { taskId, machineId } = task
  const loss = lost(deploymentId, task, 'abandoned', nowMs)
  // First, so that the machine is free for nobody in between. A decision that was cut there has marked it already.
  return run.dirty.has(taskId)
    ? [loss]
    : [{ type: 'TargetMarkedDirty', data: { deploymentId, taskId, machineId } }, loss]
}

/**
 * Tells whatever runs to stop, waits for it a while, and ends. Nothing new begins, but for what undoes what was done.
 * @param undo gives what is due of that; null when there is nothing more
 */
export const planCancel = (
  scene: Scene,
  { reason, requestedAt }: NonNullable<Run['cancel']>,
  undo: (scene: Scene) => readonly DeploymentEvent[] | null,
): readonly DeploymentEvent[] =>
  stopTasks(scene, reason, requestedAt) ?? undo(scene) ?? [cancelled(scene.run, scene.created, reason)]

/**
 * @param since from when on what runs had to stop: it has a while to do so
 * @returns null when nothing runs any more
 */
export function stopTasks(scene: Scene, reason: string, since: number): readonly DeploymentEvent[] | null {
  const { run, created, nowMs } = scene
  const { deploymentId } = created
  const graceMs = cancelGraceMsOf(created)
  const active = activeTasks(run).filter(({ stepId }) => !isUndoing(run, stepId))
  const child = openChild(scene)
  if (child !== null && !child.isToldToStop) {
    const { stepId, childId } = child
    return [{ type: 'ChildCancelRequested', data: { deploymentId, stepId, childId, reason } }]
  }
  if (active.length === 0) return child !== null && nowMs < since + graceMs ? [] : null
  const untold = active.filter(({ cancelRequested }) => !cancelRequested)
  if (untold.length > 0)
    return untold.map(({ taskId, machineId }) => ({
      type: 'TaskCancelRequested',
      data: { deploymentId, taskId, machineId, reason },
    }))
  if (nowMs < since + graceMs) return []
  return active.flatMap((task) => givenUp(scene, task))
}

/** The deployment that a step has made and waits for, as long as it goes on. */
function openChild({ run, world }: Scene) {
  for (const { definition, state, child } of run.steps) {
    if (state !== 'running' || child === null || definition.kind !== 'deploy-release' || !definition.wait) continue
    const stands = world.child(child.childId)?.state ?? 'open'
    if (stands === 'open') return { stepId: definition.id, ...child }
  }
  return null
}

/** A target that was removed, moved or disabled is left out from here on; one that is at work may finish its task. */
export function excludeGone({ run, created, world }: Scene): readonly DeploymentEvent[] {
  const { deploymentId, environmentId } = created
  const step = nearestStep(run)
  if (step === undefined) return []
  const about = { deploymentId, stepId: step.definition.id, unavailableSince: null }
  const gone = includedTargets(run).filter(({ machineId }) => !isThere(world.machine(machineId), environmentId))
  if (gone.length === 0) return []
  const busy = new Set(activeTasks(run).map(({ machineId }) => machineId))
  return gone.flatMap(({ machineId, name }) => {
    const machine = world.machine(machineId)
    const removed = machine?.registered !== true
    if (!removed && busy.has(machineId)) return []
    const cause = removed || machine.enabled ? 'removed' : 'disabled'
    const what = removed ? 'removed' : machine.enabled ? `moved to ${machine.environmentId}` : 'disabled'
    return [{ type: 'TargetExcluded', data: { ...about, machineId, cause, detail: `${name} was ${what}` } }]
  })
}

const isThere = (machine: FleetMachine | undefined, environmentId: string): boolean =>
  machine?.registered === true && machine.enabled && machine.environmentId === environmentId
