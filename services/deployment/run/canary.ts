import type { DeploymentEvent, DeploymentKind } from '#contracts/deployment.ts'
import { untilApproved } from './approvalStep.ts'
import { latestTask, listed, stillIncluded, type RollingStep, type RunStep, type RunTarget } from './state.ts'
import { countOf } from './window.ts'
import type { Scene } from './world.ts'

/**
 * How many targets go first; 0 where nobody would be left to hold back, and in automatic deployments, which bring a
 * release that has been through it to single machines.
 */
function sizeOf(kind: DeploymentKind, { machineIds }: RunStep, { canary }: RollingStep): number {
  if (canary === null || kind === 'automatic') return 0
  const size = countOf(canary.size, machineIds.length)
  return size < machineIds.length ? size : 0
}

/** The targets that go first, as long as they are not through: whoever leaves is followed by the next one. */
export function canariesOf(scene: Scene, step: RunStep, definition: RollingStep): readonly RunTarget[] | null {
  const size = sizeOf(scene.created.kind, step, definition)
  if (size === 0 || step.canaryPassedAt !== null) return null
  return stillIncluded(scene.run, step.machineIds).slice(0, size)
}

/**
 * Holds the others back once the first targets are through. As long as they are only watched, one of them that is not
 * well any more fails the step; a person who is asked can see that.
 * @returns null when the others may begin
 */
export function planHold(scene: Scene, step: RunStep, definition: RollingStep): readonly DeploymentEvent[] | null {
  const { canary, id: stepId } = definition
  if (canary === null || step.canaryPassedAt === null) return null
  const { hold } = canary
  if ('approval' in hold) return untilApproved(scene, stepId, hold.approval, step.canaryPassedAt + hold.withinMs)
  const begunAt = step.canaryPassedAt + hold.forMs
  // Once one of the others has begun, what becomes of the first says no more than what becomes of them.
  if (hasBegunSince(scene, step, begunAt)) return null
  const ill = illCanaries(scene, step)
  if (ill.length > 0) {
    const reason = `the others are not begun: ${listed(ill, '; ')} after the step`
    return [{ type: 'StepFailed', data: { deploymentId: scene.created.deploymentId, stepId, reason } }]
  }
  return scene.nowMs < begunAt ? [] : null
}

const hasBegunSince = ({ run }: Scene, { definition, machineIds }: RunStep, atMs: number): boolean =>
  machineIds.some((machineId) => (latestTask(run, definition.id, machineId)?.dispatchedAt ?? 0) >= atMs)

/** Those that went first and are not well any more, in words. */
function illCanaries({ run, world }: Scene, { definition, machineIds }: RunStep): readonly string[] {
  const isFirst = ({ machineId }: RunTarget) => latestTask(run, definition.id, machineId) !== undefined
  const first = stillIncluded(run, machineIds).filter(isFirst)
  return first.flatMap(({ machineId, name }) => {
    const { status = 'unknown' } = world.machine(machineId) ?? {}
    return status === 'unhealthy' || status === 'unavailable' ? [`${name} is ${status}`] : []
  })
}
