import type { DeploymentEvent } from '#contracts/deployment.ts'
import { ineligibility } from '#contracts/eligibility.ts'
import { refuse, type Decision } from '#libs/decider.ts'
import { missedBy } from './catchUp.ts'
import { cancelGraceMsOf, givenUp } from './interruption.ts'
import { activeTasks, mayReturn, nearestStep, stillIncluded, type Created, type Run } from './state.ts'
import type { Scene, World } from './world.ts'

export interface PersonsChoice {
  readonly machineId: string
  readonly reason: string
}

/** A person keeps a machine out, one that is a target or may become one. Asked twice it is done once. */
export function barred(
  run: Run,
  { deploymentId }: Created,
  { machineId, reason }: PersonsChoice,
  { world, nowMs }: { readonly world: World; readonly nowMs: number },
): Decision<DeploymentEvent> {
  const name = run.targets.get(machineId)?.name ?? world.machine(machineId)?.name
  if (name === undefined) return refuse('TARGET_UNKNOWN', `there is no machine ${machineId}`)
  if (run.barred.has(machineId)) return []
  const about = { deploymentId, machineId, name, reason }
  return [{ type: 'TargetExclusionRequested', data: { ...about, requestedAt: nowMs } }]
}

/** A person takes a machine in again. What failed here stays out, since nobody knows what it would do to the others. */
export function takenInAgain(
  run: Run,
  created: Created,
  { machineId, reason }: PersonsChoice,
  { world, nowMs }: { readonly world: World; readonly nowMs: number },
): Decision<DeploymentEvent> {
  const { deploymentId, environmentId, targetRoles } = created
  const [target, bar] = [run.targets.get(machineId), run.barred.get(machineId)]
  const machine = world.machine(machineId)
  if (target === undefined) {
    if (bar === undefined) return refuse('TARGET_UNKNOWN', `${machineId} is no target and nobody excluded it`)
    const name = machine?.name ?? machineId
    return [{ type: 'TargetExclusionLifted', data: { deploymentId, machineId, name, reason } }]
  }
  if (target.excluded === null)
    return bar === undefined ? [] : refuse('TARGET_LEAVING', `a task on ${target.name} is still told to stop`)
  const { cause, detail } = target.excluded
  if (cause === 'replaced' || (cause !== 'person' && !mayReturn(target)))
    return refuse('TARGET_UNKNOWN', `${target.name} is out for good (${cause}: ${detail}): retry the deployment for it`)
  const clause = machine === undefined ? 'not-registered' : ineligibility(machine, environmentId, targetRoles)
  if (machine === undefined || clause !== null)
    return refuse('TARGET_UNKNOWN', `${target.name} can be no target now: ${clause}`)
  const step = nearestStep(run)
  if (step === undefined) return refuse('DEPLOYMENT_ENDED', `no step of deployment ${deploymentId} is left`)
  const stepId = step.definition.id
  const who = { machineId, name: machine.name, roles: machine.roles, reason }
  const catchUp = missedBy(run, who)
  return [{ type: 'TargetIncluded', data: { deploymentId, stepId, ...who, catchUp, at: nowMs } }]
}

/** Whom a person keeps out leaves as soon as nothing of the run is at work there: it is told to stop, and given up. */
export function excludeBarred(scene: Scene): readonly DeploymentEvent[] {
  const { run, created, nowMs } = scene
  const step = nearestStep(run)
  if (run.barred.size === 0 || step === undefined) return []
  const { deploymentId } = created
  return stillIncluded(run, [...run.barred.keys()]).flatMap(({ machineId }): readonly DeploymentEvent[] => {
    const { reason, requestedAt } = run.barred.get(machineId)!
    const tasks = activeTasks(run).filter((task) => task.machineId === machineId)
    if (tasks.length === 0) {
      const about = { deploymentId, stepId: step.definition.id, machineId }
      return [{ type: 'TargetExcluded', data: { ...about, cause: 'person', detail: reason, unavailableSince: null } }]
    }
    const untold = tasks.filter(({ cancelRequested }) => !cancelRequested)
    if (untold.length > 0)
      return untold.map(({ taskId }) => ({
        type: 'TaskCancelRequested',
        data: { deploymentId, taskId, machineId, reason },
      }))
    if (nowMs < requestedAt + cancelGraceMsOf(created)) return []
    return tasks.flatMap((task) => givenUp(scene, task))
  })
}
