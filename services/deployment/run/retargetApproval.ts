import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import type { TargetsChange } from '#contracts/targets.ts'
import { untilApproved } from './approvalStep.ts'
import { includedTargets, listed } from './state.ts'
import type { Scene } from './world.ts'

type Reevaluate = StepOf<'reevaluate-targets'>

/**
 * Asks a person before a large change of the targets takes effect. A yes holds for what was shown, and nothing else
 * takes effect.
 * @param facts what is about to follow; null as long as that is not known
 * @returns null when it may go on
 */
export function untilChangeApproved(
  scene: Scene,
  definition: Reevaluate,
  facts: readonly DeploymentEvent[] | null,
): readonly DeploymentEvent[] | null {
  const { run, created, nowMs } = scene
  const { id: stepId, approveAbove, approveWithinMs } = definition
  if (approveAbove === null) return null
  const approval = run.approval?.stepId === stepId ? run.approval : null
  if (approval !== null && approval.answer !== 'given') return untilApproved(scene, stepId, '', approval.deadlineAt)
  if (facts === null || approval !== null) return null
  const change = changeIn(scene, facts)
  const size = change.added.length + change.removed.length
  if (size <= countAbove(approveAbove, includedTargets(run).length)) return null
  const asked = { deploymentId: created.deploymentId, stepId, message: messageOf(change), change }
  return [{ type: 'ApprovalRequested', data: { ...asked, deadlineAt: nowMs + approveWithinMs } }]
}

const countAbove = (above: number | string, targets: number): number =>
  typeof above === 'number' ? above : (Number.parseInt(above, 10) / 100) * targets

/** Targets that are away leave as well, and count as much as those that are replaced. */
function changeIn({ run }: Scene, facts: readonly DeploymentEvent[]): TargetsChange {
  const away = facts.flatMap((fact) => {
    if (fact.type !== 'TargetExcluded') return []
    const { machineId, detail } = fact.data
    return [{ machineId, name: run.targets.get(machineId)?.name ?? machineId, reason: detail }]
  })
  const diff = facts.find((fact) => fact.type === 'TargetsReevaluated')
  const { added = [], removed = [], kept = [] } = diff?.data ?? {}
  return {
    added: added.map(({ machineId, name, reason }) => ({ machineId, name, reason })),
    removed: [...removed, ...away],
    kept: kept.length,
  }
}

/** What a person has said yes to, of this step; null as long as nobody was asked. */
export const approvedChange = ({ run: { approval } }: Scene, { id }: Reevaluate): TargetsChange | null =>
  approval?.stepId === id && approval.answer === 'given' ? approval.change : null

function messageOf({ added, removed, kept }: TargetsChange): string {
  const say = (verb: string, list: TargetsChange['added']) =>
    list.length === 0 ? [] : [`${verb} ${list.length}: ${listed(list.map(({ name }) => name))}`]
  return `The targets change: ${[...say('adds', added), ...say('removes', removed), `keeps ${kept}`].join('; ')}`
}
