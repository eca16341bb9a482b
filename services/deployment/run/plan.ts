import { hasRole } from '#contracts/eligibility.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Step } from '#contracts/process.ts'
import { planApproval } from './approvalStep.ts'
import { begin } from './beginning.ts'
import { planDebts } from './catchUp.ts'
import { planOverdue } from './deadline.ts'
import { planDeployRelease } from './deployReleaseStep.ts'
import { planDeregistration } from './deregisterStep.ts'
import { isTrueOf } from './condition.ts'
import { cancelled, finished } from './ending.ts'
import { excludeBarred } from './exclusion.ts'
import { planHealthCheck } from './healthCheckStep.ts'
import { currentGroup, haltedBeside } from './group.ts'
import { excludeGone, loseTasks, planCancel } from './interruption.ts'
import { inTurn, minimumFor } from './minimum.ts'
import { planReevaluation } from './reevaluateStep.ts'
import { planRevalidation, revalidateMeanwhile } from './revalidation.ts'
import { planOnTargets } from './scriptStep.ts'
import { includedTargets, isPartOf, isRolling, runsOnTargets, skippedByFailure, skippedForRoles } from './state.ts'
import type { Run, RunStep } from './state.ts'
import { planCompensation } from './swap/compensation.ts'
import { planOnWorker } from './workerStep.ts'
import type { Scene, World } from './world.ts'

/**
 * What is due now: the next facts of a run, or none when it has to wait. A run is a state that knows its next step, so
 * a crash resumes by asking again. The groups are in order of urgency, and only the first that has something is given.
 */
export function plan(run: Run, world: World, nowMs: number): readonly DeploymentEvent[] {
  const { created } = run
  if (created === null) return []
  const scene = { run, created, world, nowMs }
  switch (run.status) {
    case 'unknown':
    case 'ended':
      return []
    case 'queued':
      return planQueued(scene)
    case 'running': {
      const lost = loseTasks(scene)
      if (lost.length > 0) return lost
      if (run.cancel !== null) return planCancel(scene, run.cancel, (so) => planCompensation(so, planStep))
      const gone = excludeGone(scene)
      if (gone.length > 0) return gone
      const barred = excludeBarred(scene)
      return barred.length > 0 ? barred : (planOverdue(scene, planSteps) ?? planSteps(scene))
    }
  }
}

function planQueued(scene: Scene): readonly DeploymentEvent[] {
  const { run, created, world } = scene
  if (run.cancel !== null) return [cancelled(run, created, run.cancel.reason)]
  const newer = world.supersededBy(created.deploymentId)
  if (newer !== null) return [cancelled(run, created, `version ${newer} was deployed in the meantime`)]
  return world.mayStart(created.deploymentId) ? begin(scene) : []
}

/** All steps of a group start before any of them goes on; it has ended when all of them have. */
function planSteps(scene: Scene): readonly DeploymentEvent[] {
  const group = currentGroup(scene.run)
  if (group.length === 0)
    return planDebts(scene) ?? planCompensation(scene, planStep) ?? [finished(scene.run, scene.created)]
  const pending = group.find(({ state }) => state === 'pending')
  if (pending !== undefined) return planBetween(scene, group, pending) ?? [startStep(scene, pending)]
  for (const step of group) {
    const facts = step.state === 'running' ? haltedBeside(scene, step, planStep(scene, step)) : []
    if (facts.length > 0) return facts
  }
  return []
}

/** Before a group starts, who its targets are is looked at once more, and those who came make up for what they missed. */
function planBetween(scene: Scene, group: readonly RunStep[], next: RunStep): readonly DeploymentEvent[] | null {
  if (group.some(({ state }) => state !== 'pending')) return null
  const changes = planRevalidation(scene, next)
  return changes.length > 0 ? changes : planDebts(scene)
}

function planStep(scene: Scene, step: RunStep): readonly DeploymentEvent[] {
  const { definition } = step
  switch (definition.kind) {
    case 'script':
      return definition.on === 'worker' ? planOnWorker(scene, step, definition) : planOnTargets(scene, step, definition)
    case 'package':
      return planOnTargets(scene, step, definition)
    case 'http':
      return planOnWorker(scene, step, definition)
    case 'health-check':
      return planHealthCheck(scene, step, definition)
    case 'reevaluate-targets':
      return planReevaluation(scene, step, definition)
    case 'deregister-machines':
      return planDeregistration(scene, step, definition)
    case 'deploy-release':
      return planDeployRelease(scene, step, definition)
    case 'approval':
      return or(planApproval(scene, step, definition), () => revalidateMeanwhile(scene, step))
  }
}

const or = <Item>(some: readonly Item[], others: () => readonly Item[]): readonly Item[] =>
  some.length > 0 ? some : others()

function startStep(scene: Scene, { definition }: RunStep): DeploymentEvent {
  const { run, created, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId: definition.id }
  const skip = reasonToSkip(scene, definition)
  if (skip !== null) return { type: 'StepSkipped', data: { ...about, reason: skip } }
  const { when } = definition
  const asked = when === undefined ? { value: true } : isTrueOf(when, run, created)
  if ('problem' in asked)
    return { type: 'StepFailed', data: { ...about, reason: `whether "${when}" cannot be told: ${asked.problem}` } }
  if (!asked.value) return { type: 'StepSkipped', data: { ...about, reason: `not the case: ${when}` } }

  if (!runsOnTargets(definition)) return { type: 'StepStarted', data: { ...about, machineIds: [], startedAt: nowMs } }
  const included = includedTargets(run)
  if (included.length === 0 && run.targets.size > 0)
    return { type: 'StepFailed', data: { ...about, reason: 'no target is left' } }
  const targets = included.filter((target) => hasRole(target, definition.roles))
  if (targets.length === 0) return { type: 'StepSkipped', data: { ...about, reason: skippedForRoles } }
  const hasCanary = isRolling(definition) && definition.canary !== null
  const machineIds = inTurn(scene.world, targets, hasCanary).map(({ machineId }) => machineId)
  const started = { ...about, machineIds, startedAt: nowMs }
  if (!isRolling(definition) || definition.minimumHealthy === null) return { type: 'StepStarted', data: started }
  const { minimum, impossible } = minimumFor(definition.minimumHealthy, targets.length, created.kind)
  return impossible === null
    ? { type: 'StepStarted', data: { ...started, minimumHealthy: minimum } }
    : { type: 'StepFailed', data: { ...about, reason: impossible } }
}

function reasonToSkip({ run, created }: Scene, definition: Step): string | null {
  if (!isPartOf(created.kind, definition)) return 'not a part of automatic deployments'
  if (definition.condition === 'success' && run.failure !== null) return skippedByFailure
  if (definition.condition === 'failure' && run.failure === null) return 'nothing has failed'
  return null
}
