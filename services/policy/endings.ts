import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Step } from '#contracts/process.ts'
import type { Ended } from './world.ts'

export type Ending = Extract<
  DeploymentEvent,
  { type: 'DeploymentSucceeded' | 'DeploymentFailed' | 'DeploymentCancelled' }
>

/** Automatic deployments run the steps on targets, unless a step says otherwise of itself. */
export const isForAutomaticDeployments = (step: Step): boolean =>
  step.automatic ??
  (step.kind === 'health-check' || step.kind === 'package' || (step.kind === 'script' && step.on === 'targets'))

const bad = new Set(['failed', 'lost', 'cancelled'])

/**
 * What an automatic deployment came to, for each machine that it was for. One that was left out, or not reached since
 * another failed, did not fail and is looked at again; but a deployment that ended badly failed somewhere, or it would
 * be asked for again at once, and again.
 */
export function endedFor(machineIds: readonly string[], { type, data: { deploymentId, outcomes } }: Ending): Ended {
  const outcomeOf = new Map(outcomes.map(({ machineId, outcome }) => [machineId, outcome]))
  const succeeded = machineIds.filter((id) => outcomeOf.get(id) === 'succeeded')
  const others = machineIds.filter((id) => outcomeOf.get(id) !== 'succeeded')
  const failed = others.filter((id) => bad.has(outcomeOf.get(id) ?? 'failed'))
  const allFailed = type === 'DeploymentCancelled' || (type === 'DeploymentFailed' && failed.length === 0)
  return { deploymentId, succeeded, failed: allFailed ? others : failed }
}
