import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { speakDuration } from '#libs/units.ts'
import { fitsOneFact, targetsMax } from './bounds.ts'
import { planCatchUp } from './catchUp.ts'
import type { Found } from './judge.ts'
import { onlyShown, retarget } from './retarget.ts'
import { approvedChange, untilChangeApproved } from './retargetApproval.ts'
import { search } from './search.ts'
import { listed } from './state.ts'
import type { Run, RunStep } from './state.ts'
import { waitingSince, type Hold, type Scene } from './world.ts'

type Reevaluate = StepOf<'reevaluate-targets'>

/**
 * Re-targets a running deployment: waits until the machines it expects are registered and well, asks a person where so
 * much changes, writes down who comes, goes and stays and why, and brings the newcomers up to where the deployment
 * stands. What a person said yes to is looked for again, since machines come and go while one thinks.
 */
export function planReevaluation(scene: Scene, step: RunStep, definition: Reevaluate): readonly DeploymentEvent[] {
  const about = { deploymentId: scene.created.deploymentId, stepId: definition.id }
  const fail = (reason: string): readonly DeploymentEvent[] => [{ type: 'StepFailed', data: { ...about, reason } }]
  if (step.reevaluated) return planCatchUp(scene, step, about)
  const asked = untilChangeApproved(scene, definition, null)
  if (asked !== null) return asked

  const shown = approvedChange(scene, definition)
  const found = onlyShown(scene, search(scene, definition, step.startedAt), shown)
  const { min, max, withinMs } = definition.expect
  const count = found.ready.length
  if (found.error !== null) return fail(found.error)
  if (count > max) return fail(`${count} machines were found, at most ${max} expected`)
  if (found.missing.length === 0 && count >= min) {
    const facts = retarget(scene, definition, found, shown)
    if (!haveRoom(scene.run, facts)) return fail(`a deployment takes ${targetsMax} machines, and these are too many`)
    return untilChangeApproved(scene, definition, facts) ?? facts
  }
  if (scene.nowMs < deadlineOf(scene, step, definition)) return []
  return fail(`after ${withinMs / 1000} s there were ${count} machines, at least ${min} expected${whyMissing(found)}`)
}

/** Time that a person needed to approve is not counted against the machines. */
function deadlineOf(scene: Scene, { startedAt }: RunStep, { id, expect: { withinMs } }: Reevaluate): number {
  const { approval } = scene.run
  const givenAt = approval?.stepId === id ? approval.givenAt : 0
  return waitingSince(scene, Math.max(startedAt, givenAt)) + withinMs
}

const whyMissing = ({ missing, leftOut }: Found): string => {
  const out = leftOut.map(({ name, reason }) => `${name} ${reason}`)
  return missing.length + out.length === 0 ? '' : `: ${listed([...missing, ...out], '; ')}`
}

/** How far the wait for machines has got, while there is one. */
export function expectation(scene: Scene): Hold | null {
  for (const step of scene.run.steps) {
    const { definition, state, reevaluated } = step
    if (definition.kind !== 'reevaluate-targets' || state !== 'running' || reevaluated) continue
    if (scene.run.approval?.stepId === definition.id && scene.run.approval.answer !== 'given') continue
    const found = search(scene, definition, step.startedAt)
    const { wanted, registered, ready } = found
    const most = Math.max(wanted, definition.expect.min)
    const count = `${registered} of ${most} registered, ${ready.length} of ${most} ready`
    const within = `within ${speakDuration(definition.expect.withinMs)}`
    const detail = `step ${definition.id} expects machines ${within}: ${count}${whyMissing(found)}`
    return { reason: 'machines-expected', detail, until: deadlineOf(scene, step, definition) }
  }
  return null
}

const haveRoom = ({ targets }: Run, facts: readonly DeploymentEvent[]): boolean =>
  facts.every((fact) => {
    if (fact.type !== 'TargetsReevaluated') return true
    const { added } = fact.data
    const back = added.filter(({ machineId }) => targets.has(machineId)).length
    return targets.size + added.length - back <= targetsMax && fitsOneFact(fact.data)
  })
