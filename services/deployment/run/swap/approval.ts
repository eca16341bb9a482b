import type { DeploymentEvent } from '#contracts/deployment.ts'
import { includedTargets, listed, type Run } from '../state.ts'
import type { Scene } from '../world.ts'
import { effectOf } from './swapState.ts'

const isSwap = ({ steps }: Run): boolean => steps.some(({ definition }) => effectOf(definition) !== undefined)

/** Says with a question about a swap which machines it is about. */
export const withTargets = ({ run }: Scene, facts: readonly DeploymentEvent[]): readonly DeploymentEvent[] =>
  !isSwap(run)
    ? facts
    : facts.map((fact) =>
        fact.type !== 'ApprovalRequested'
          ? fact
          : { ...fact, data: { ...fact.data, machineIds: includedTargets(run).map(({ machineId }) => machineId) } },
      )

/** What was approved holds for the machines that it was asked about: when they are others by now, it is asked again. */
export function askedAgain(scene: Scene, message: string): readonly DeploymentEvent[] | null {
  const { run, created } = scene
  const { approval } = run
  if (approval?.machineIds === undefined) return null
  const now = includedTargets(run)
  const asked = new Set(approval.machineIds)
  const current = new Set(now.map(({ machineId }) => machineId))
  const left = approval.machineIds.filter((id) => !current.has(id)).map((id) => run.targets.get(id)?.name ?? id)
  const come = now.filter(({ machineId }) => !asked.has(machineId)).map(({ name }) => name)
  if (left.length === 0 && come.length === 0) return null
  const what = [
    ...(left.length > 0 ? [`left: ${listed(left)}`] : []),
    ...(come.length > 0 ? [`came: ${listed(come)}`] : []),
  ]
  const { stepId, deadlineAt } = approval
  const about = { deploymentId: created.deploymentId, stepId, deadlineAt }
  const changed = `${message} (since it was approved, ${what.join('; ')})`
  return withTargets(scene, [{ type: 'ApprovalRequested', data: { ...about, message: changed } }])
}
