import type { Answer } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import { repeatedOptions } from '#contracts/deploymentOptions.ts'
import { ineligibility } from '#contracts/eligibility.ts'
import type { Cause } from '#contracts/message.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import { answered } from './answered.ts'
import { creation } from './creation.ts'
import type { Engine } from './engine.ts'
import { handOut } from './handOut.ts'
import type { Release } from './release/decider.ts'
import { outcomesOf } from './run/ending.ts'
import type { Run } from './run/state.ts'
import type { Secrets } from './secrets.ts'
import { appendTaskLog } from './taskLog.ts'

type Data<Type extends DeploymentCommand['type']> = Extract<DeploymentCommand, { type: Type }>['data']
type LoadRelease = (projectId: string, version: string) => Promise<{ readonly state: Release }>

/** What is asked of deployments: by people, by policy, and by gateways for the machines. */
export function runAnswers(
  platform: Platform,
  engine: Engine,
  loadRelease: LoadRelease,
  secrets: Secrets,
): CommandHandlers<DeploymentCommand> {
  const create = creation(engine, loadRelease, platform.clock)
  return {
    CreateDeployment: ({ data }, cause) => create(data, cause),

    async RetryDeployment({ data: { deploymentId, newDeploymentId } }, cause) {
      const { state: retried } = await engine.load(newDeploymentId)
      const { state } = await engine.load(deploymentId)
      const again = retried.created ?? retryOf(engine, state, deploymentId)
      return isRefusal(again) ? again : create({ ...again, deploymentId: newDeploymentId }, cause)
    },

    CancelDeployment: async ({ data: { deploymentId, reason } }, cause) =>
      answered(await engine.request(deploymentId, { type: 'Cancel', reason }, cause), { id: deploymentId }),

    DecideDeployment: async ({ data: { deploymentId, ...word } }, cause) =>
      answered(await engine.request(deploymentId, { type: 'Decide', ...word }, cause), { id: deploymentId }),

    RecordTaskStarted: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    RecordTaskResult: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    AppendTaskLog: ({ data }, cause) => appendTaskLog(platform, engine, data, cause),
    GetWorkOrder: ({ data }, cause) => handOut(platform, engine, secrets, data, cause),
  }
}

type Report = Parameters<Engine['request']>[1] & { readonly deploymentId: string }

const report = async (engine: Engine, { deploymentId, ...asked }: Report, cause: Cause): Promise<Answer> =>
  answered(await engine.request(deploymentId, asked, cause), {})

/** The same release to the targets that have not got it and still could; to all again when none of them is known. */
function retryOf({ fleet }: Engine, run: Run, id: string): Omit<Data<'CreateDeployment'>, 'deploymentId'> | Refusal {
  if (run.created === null) return refuse('DEPLOYMENT_UNKNOWN', `there is no deployment ${id}`)
  if (run.status !== 'ended')
    return refuse('DEPLOYMENT_NOT_ENDED', `deployment ${id} is still running: cancel it first`)
  const { projectId, version, environmentId, kind, machineIds, targetRoles } = run.created
  const about = { projectId, version, environmentId, kind, ...repeatedOptions(run.created) }
  const left = outcomesOf(run).filter(({ outcome }) => outcome !== 'succeeded' && outcome !== 'replaced')
  if (left.length === 0) return { ...about, machineIds }
  const fit = left.flatMap(({ machineId }) => {
    const machine = fleet.machine(machineId)
    return machine !== undefined && ineligibility(machine, environmentId, targetRoles) === null ? [machineId] : []
  })
  if (fit.length > 0) return { ...about, machineIds: fit }
  return refuse('TARGET_UNKNOWN', `none of the ${left.length} targets without the release can have it now`)
}
