import type { DeploymentCommand } from '#contracts/deployment.ts'
import { repeatedOptions } from '#contracts/deploymentOptions.ts'
import { ineligibility } from '#contracts/eligibility.ts'
import { refuse, type Refusal } from '#libs/decider.ts'
import type { Engine } from './engine.ts'
import { outcomesOf } from './run/ending.ts'
import type { Created, Run } from './run/state.ts'

/** What is to be created when a deployment is made once more. */
export type Again = Omit<Extract<DeploymentCommand, { type: 'CreateDeployment' }>['data'], 'deploymentId'>

/** The same release to the targets that have not got it and still could; to all again when none of them is known. */
export function retryOf({ fleet }: Engine, run: Run, id: string): Again | Refusal {
  const { created } = run
  if (created === null) return unknown(id)
  const early = notEnded(run, id)
  if (early !== null) return early
  const { environmentId, targetRoles } = created
  const left = outcomesOf(run).filter(({ outcome }) => outcome !== 'succeeded' && outcome !== 'replaced')
  // Whom a person left out stays out.
  const wanted = left.filter(({ machineId }) => run.targets.get(machineId)?.excluded?.cause !== 'person')
  if (left.length === 0) return sameAs(created)
  const fit = wanted.flatMap(({ machineId }) => {
    const machine = fleet.machine(machineId)
    return machine !== undefined && ineligibility(machine, environmentId, targetRoles) === null ? [machineId] : []
  })
  if (fit.length > 0) return { ...sameAs(created), machineIds: fit }
  return refuse('TARGET_UNKNOWN', `none of the ${left.length} targets without the release can have it now`)
}

/** The same release with the same restrictions: to the machines that were named, or to all that it is for now. */
export const redeployOf = (run: Run, id: string): Again | Refusal =>
  run.created === null ? unknown(id) : (notEnded(run, id) ?? sameAs(run.created))

const sameAs = (created: Created): Again => {
  const { projectId, version, environmentId, kind, machineIds } = created
  return { projectId, version, environmentId, kind, machineIds, ...repeatedOptions(created) }
}

const unknown = (id: string): Refusal => refuse('DEPLOYMENT_UNKNOWN', `there is no deployment ${id}`)
const notEnded = ({ status }: Run, id: string): Refusal | null =>
  status === 'queued' || status === 'running'
    ? refuse('DEPLOYMENT_NOT_ENDED', `deployment ${id} is still running: cancel it first`)
    : null
