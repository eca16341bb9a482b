import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { machinesAtWork } from './group.ts'
import { listed, stillIncluded, type RunStep } from './state.ts'
import { conditionOf, isContactable, waitingSince, type Scene } from './world.ts'

/** Waits until every target answers and is well; those that are not in time fail the step or are left out. */
export function planHealthCheck(
  scene: Scene,
  step: RunStep,
  { id: stepId, onUnavailable, timeLimitMs }: StepOf<'health-check'>,
): readonly DeploymentEvent[] {
  const { run, created, world, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId }
  const targets = stillIncluded(run, step.machineIds)
  if (targets.length === 0) return [{ type: 'StepFailed', data: { ...about, reason: 'no target is left' } }]

  const ill = targets.flatMap(({ machineId, name }) => {
    const machine = world.machine(machineId)
    return machine !== undefined && isContactable(machine) ? [] : [{ machineId, name, machine }]
  })
  if (ill.length === 0) return [{ type: 'StepSucceeded', data: about }]
  if (nowMs < waitingSince(scene, step.startedAt) + timeLimitMs) return []
  if (onUnavailable === 'fail') {
    const whom = ill.map(({ name, machine }) => `${name} is ${conditionOf(machine)}`)
    return [{ type: 'StepFailed', data: { ...about, reason: listed(whom, '; ') } }]
  }
  // One that is at work for a step beside this one is left out when that has ended.
  const atWork = machinesAtWork(run)
  const leaving = ill.filter(({ machineId }) => !atWork.has(machineId))
  return leaving.map(({ machineId, machine }) => {
    const detail = `it was ${conditionOf(machine)} at the health check`
    return {
      type: 'TargetExcluded',
      data: { ...about, machineId, cause: 'unhealthy', detail, unavailableSince: null },
    }
  })
}
