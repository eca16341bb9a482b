import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { parentsMax } from '#contracts/steps/deployRelease.ts'
import { uuidOf } from '#libs/ids.ts'
import { includedTargets, type Created, type RunStep } from './state.ts'
import { waitingSince, type Scene } from './world.ts'

type DeployRelease = StepOf<'deploy-release'>

/** Has the release of another project deployed to the same environment, by a deployment of its own, and waits for it. */
export function planDeployRelease(scene: Scene, step: RunStep, definition: DeployRelease): readonly DeploymentEvent[] {
  const { created, world, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId: definition.id }
  const fail = (reason: string): readonly DeploymentEvent[] => [{ type: 'StepFailed', data: { ...about, reason } }]
  if (step.child === null) return request(scene, definition, fail)
  if (!definition.wait) return [{ type: 'StepSucceeded', data: about }]

  const { childId, isToldToStop } = step.child
  const what = `deployment ${childId} of ${definition.project}`
  const child = world.child(childId)
  const startedAt = waitingSince(scene, step.startedAt)
  switch (child?.state) {
    case 'succeeded':
      return [{ type: 'StepSucceeded', data: about }]
    case 'failed':
    case 'cancelled':
      return fail(`${what} was ${child.state === 'failed' ? 'not successful' : 'cancelled'}: ${child.reason}`)
    case undefined:
      return nowMs < startedAt + created.contactBudgetMs ? [] : fail(`${what} was refused, or not made in time`)
    case 'open': {
      if (nowMs < startedAt + definition.timeLimitMs) return []
      const reason = 'it takes longer than the step that waits for it may'
      return isToldToStop
        ? fail(`${what} has not ended in time and is being cancelled`)
        : [{ type: 'ChildCancelRequested', data: { ...about, childId, reason } }]
    }
  }
}

function request(
  { run, created, world }: Scene,
  { id: stepId, project: projectId, version: wanted, targets }: DeployRelease,
  fail: (reason: string) => readonly DeploymentEvent[],
): readonly DeploymentEvent[] {
  const { deploymentId, environmentId } = created
  const parents = [...(created.parents ?? []), { deploymentId, projectId: created.projectId }]
  const loop = loopOf(parents, projectId)
  if (loop !== null) return fail(loop)
  const version = world.versionOf(projectId, environmentId, wanted)
  if (version === null) return fail(`${projectId} has no release ${wanted} for ${environmentId}`)
  const mine = includedTargets(run).map(({ machineId }) => machineId)
  if (targets === 'mine' && mine.length === 0) return fail('no target is left')
  // The same step always makes the same deployment, so asking twice makes one.
  const childId = uuidOf(`${deploymentId}.${stepId}`)
  const machineIds = targets === 'mine' ? mine : null
  const data = { deploymentId, stepId, childId, projectId, version, environmentId, machineIds, parents }
  return [{ type: 'ChildDeploymentRequested', data }]
}

/** Projects that deploy each other would do so for ever, or wait for each other. */
function loopOf(parents: NonNullable<Created['parents']>, projectId: string): string | null {
  const projects = parents.map((parent) => parent.projectId)
  if (projects.includes(projectId)) return `projects that deploy each other: ${[...projects, projectId].join(' -> ')}`
  if (parents.length <= parentsMax) return null
  return `${[...projects, projectId].join(' -> ')}: at most ${parentsMax} deployments lead to another`
}
