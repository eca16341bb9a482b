import type { Answer } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import type { Cause } from '#contracts/message.ts'
import type { CommandHandlers } from '#libs/ask.ts'
import { isRefusal, type Refusal } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import { redeployOf, retryOf, type Again } from './again.ts'
import { answered } from './answered.ts'
import { creation, type Kept } from './creation.ts'
import type { Engine } from './engine.ts'
import { handOut } from './handOut.ts'
import type { Release } from './release/decider.ts'
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
  kept: Kept,
): CommandHandlers<DeploymentCommand> {
  const create = creation(engine, loadRelease, platform.clock, kept)
  /** Makes a deployment out of one that has ended. One that is made already is answered as before. */
  const again = async (
    { deploymentId, newDeploymentId }: Data<'RetryDeployment' | 'RedeployDeployment'>,
    of: (run: Run, id: string) => Again | Refusal,
    cause: Cause,
  ): Promise<Answer> => {
    const { state: made } = await engine.load(newDeploymentId)
    const { state } = await engine.load(deploymentId)
    const wanted = made.created ?? of(state, deploymentId)
    return isRefusal(wanted) ? wanted : create({ ...wanted, deploymentId: newDeploymentId }, cause)
  }
  return {
    CreateDeployment: ({ data }, cause) => create(data, cause),

    RetryDeployment: ({ data }, cause) => again(data, (run, id) => retryOf(engine, run, id), cause),
    RedeployDeployment: ({ data }, cause) => again(data, redeployOf, cause),

    CancelDeployment: async ({ data: { deploymentId, reason } }, cause) =>
      answered(await engine.request(deploymentId, { type: 'Cancel', reason }, cause), { id: deploymentId }),

    DecideDeployment: async ({ data: { deploymentId, ...word } }, cause) =>
      answered(await engine.request(deploymentId, { type: 'Decide', ...word }, cause), { id: deploymentId }),

    ExcludeTarget: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    IncludeTarget: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    RecordTaskStarted: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    RecordTaskResult: ({ type, data }, cause) => report(engine, { type, ...data }, cause),
    AppendTaskLog: ({ data }, cause) => appendTaskLog(platform, engine, data, cause),
    GetWorkOrder: ({ data }, cause) => handOut(platform, engine, secrets, data, cause),
  }
}

type Report = Parameters<Engine['request']>[1] & { readonly deploymentId: string }

const report = async (engine: Engine, { deploymentId, ...asked }: Report, cause: Cause): Promise<Answer> =>
  answered(await engine.request(deploymentId, asked, cause), {})
