import type { DeploymentEvent } from '#contracts/deployment.ts'
import { priorityDefault } from '#contracts/deploymentOptions.ts'
import type { Recorded } from '#contracts/message.ts'
import type { Step } from '#contracts/process.ts'
import type { StepRow } from '#contracts/rows.ts'
import type { KeptDeployment } from './deployments.ts'
import { iso } from './iso.ts'

type Created = Recorded<Extract<DeploymentEvent, { type: 'DeploymentCreated' }>>

/** The row of a deployment that was asked for just now: in line, with all its steps before it. */
export function created({ data, meta }: Created): KeptDeployment {
  const { deploymentId: id, projectId, version, environmentId, kind, machineIds, process, timeLimitMs = null } = data
  const { packages = [] } = data
  const { priority = priorityDefault, startAt = null, ignoreFreeze = null } = data
  const stepsMs = Object.fromEntries(process.steps.map((step) => [step.id, limitOf(step)]))
  const steps = process.steps.map((step): StepRow => ({
    id: step.id,
    name: step.name ?? step.id,
    kind: step.kind,
    state: 'pending',
    reason: null,
    startedAt: null,
    endedAt: null,
    deadlineAt: null,
    tasks: {},
  }))
  return {
    ...{ id, projectId, version, environmentId, kind, state: 'queued', reason: null, steps, priority },
    ...{ approval: null, waiting: null, decisions: [], packages, startAt, ignoreFreeze },
    ...{ createdAt: iso(meta.at), createdBy: meta.actor, startedAt: null, endedAt: null, partial: machineIds !== null },
    ...{ deadlineAt: null, limits: { runMs: timeLimitMs, stepsMs } },
  }
}

/** A script or a package has its time on each machine, and takes all in all what the deployment has; other steps have their own. */
function limitOf(step: Step): number | null {
  switch (step.kind) {
    case 'script':
    case 'package':
    case 'http':
      return null
    case 'health-check':
    case 'deregister-machines':
    case 'approval':
    case 'deploy-release':
      return step.timeLimitMs
    case 'reevaluate-targets':
      return step.expect.withinMs
  }
}
