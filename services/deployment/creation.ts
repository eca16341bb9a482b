import type { Answer } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import { ineligibility, workerRole } from '#contracts/eligibility.ts'
import type { Cause } from '#contracts/message.ts'
import { deploymentTimeLimitMs } from '#contracts/process.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Clock } from '#libs/clock.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import { answered } from './answered.ts'
import type { Engine } from './engine.ts'
import type { PackageReferences } from './package/references.ts'
import type { PackageLibrary } from './packageLibrary.ts'
import type { Release } from './release/decider.ts'
import type { Created } from './run/state.ts'
import { startDue } from './startTime.ts'

type Wanted = Extract<DeploymentCommand, { type: 'CreateDeployment' }>['data']
type LoadRelease = (projectId: string, version: string) => Promise<{ readonly state: Release }>

/** Makes a deployment out of a release and an environment: from here on it depends on neither being changed. */
export const creation =
  (engine: Engine, loadRelease: LoadRelease, clock: Pick<Clock, 'steadyMs' | 'wallMs'>, kept: Kept) =>
  async (wanted: Wanted, cause: Cause): Promise<Answer> => {
    const { deploymentId } = wanted
    const { state: before } = await engine.load(deploymentId)
    // One that is there already is answered as before, whatever has become of its release and environment since.
    const data =
      before.created === null ? await draft(engine, loadRelease, wanted, clock) : { ...before.created, ...wanted }
    if (isRefusal(data)) return data
    const make = async (): Promise<Answer> => {
      const handled = await engine.request(deploymentId, { type: 'Create', data }, cause)
      if (!isRefusal(handled)) kept.references.anticipate(handled.facts)
      return answered(handled, { id: deploymentId })
    }
    const { packages } = data
    if (before.created !== null || packages === undefined) return make()
    return kept.library.whileKept(async () => (await kept.library.missing(packages)) ?? make())
  }

export interface Kept {
  readonly library: PackageLibrary
  readonly references: Pick<PackageReferences, 'anticipate'>
}

type Draft = Omit<Created, 'createdAt'>

async function draft(
  engine: Engine,
  loadRelease: LoadRelease,
  wanted: Wanted,
  clock: Pick<Clock, 'steadyMs' | 'wallMs'>,
): Promise<Draft | Refusal> {
  const { projectId, version, environmentId } = wanted
  const policy = engine.fleet.policyOf(environmentId)
  if (policy === undefined) return refuse('ENVIRONMENT_UNKNOWN', `there is no environment ${environmentId}`)
  const { state: release } = await loadRelease(projectId, version)
  if (release === null) return refuse('RELEASE_UNKNOWN', `there is no release ${version} of ${projectId}`)
  const due = startDue(wanted.startAt, clock)
  if (isRefusal(due)) return due
  const { process, variables, targetRoles, packages } = release
  return (
    unfit(engine, wanted, targetRoles) ??
    crowded(engine, wanted, policy) ?? {
      ...{ ...wanted, ...due, process, variables, targetRoles, ...(packages !== undefined && { packages }) },
      elastic: wanted.kind === 'automatic' || policy.dynamicRegistration.enabled,
      contactBudgetMs: policy.deployments.contactBudgetMs,
      taskLeaseMs: policy.deployments.taskLeaseMs,
      timeLimitMs: process.timeLimitMs ?? deploymentTimeLimitMs,
      cancelGraceMs: policy.deployments.cancelGraceMs,
    }
  )
}

/** A machine that a person names must be able to have the release; what policy or another deployment names is judged when
 * it starts. */
function unfit(
  { fleet }: Engine,
  { environmentId, kind, machineIds, parents }: Wanted,
  targetRoles: readonly string[],
): Refusal | null {
  if (machineIds === null || kind === 'automatic' || parents !== undefined) return null
  for (const machineId of machineIds) {
    const machine = fleet.machine(machineId)
    if (machine === undefined) return refuse('TARGET_UNKNOWN', `there is no machine ${machineId}`)
    const clause = machine.roles.includes(workerRole) ? 'worker' : ineligibility(machine, environmentId, targetRoles)
    if (clause !== null) return refuse('TARGET_UNKNOWN', `${machine.name} (${machineId}) is no target: ${clause}`)
  }
  return null
}

function crowded(
  { occupancy }: Engine,
  { projectId, environmentId, kind }: Wanted,
  { deployments: { queueMax } }: EnvironmentPolicy,
): Refusal | null {
  if (kind === 'automatic' || occupancy.queued(projectId, environmentId) < queueMax) return null
  return refuse('DEPLOYMENTS_TOO_MANY', `${queueMax} deployments of ${projectId} to ${environmentId} wait already`)
}
