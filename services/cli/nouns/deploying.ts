import type { Command } from 'commander'
import type { DeploymentRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import type { Exit } from '../exit.ts'
import { timeout } from '../options.ts'
import { many } from '../values.ts'
import { awaitDeployment, outcomeOf } from '../progress.ts'
import { findMachines } from '../resolve.ts'
import { optionsSaid, withOptions, type SaidOptions } from './deployOptions.ts'
import { deploymentDetails } from './deploymentText.ts'
import { wayBack, type WayBack } from './wayBack.ts'

interface Waiting {
  readonly wait?: boolean
  readonly timeout?: number
}

const waitMaxMs = 3_600_000

/** What starts deployments and waits for them. */
export function addDeploying(deploy: Command, io: Io): void {
  const creating = deploy
    .command('create <project> <version> <environment>')
    .description('deploy a release to an environment, or to some of its machines')
    .option('--machine <machine>', 'only to these, by name or id', many)
  waits(withOptions(creating)).action(action(io, create))
  const back = deploy
    .command('rollback <project> <environment>')
    .description('deploy the release again that went well before the last one')
  waits(withOptions(back)).action(action(io, rollback))
  addOnceMore(deploy, io, 'retry', 'the same release again, where it did not succeed')
  addOnceMore(deploy, io, 'redeploy', 'the same release again, to the machines that it was for')
  deploy
    .command('watch <deployment>')
    .description('progress until it ends; the exit code says how')
    .addOption(timeout('stop watching after this long (1h unless told)'))
    .action(
      action(io, (context, { timeout: limitMs = waitMaxMs }: Waiting, id: string) => finish(context, id, limitMs)),
    )
}

function addOnceMore(deploy: Command, io: Io, verb: 'retry' | 'redeploy', purpose: string): void {
  waits(deploy.command(`${verb} <deployment>`).description(purpose)).action(
    action(io, async (context, options: Waiting, id: string) => {
      const reply = await context.client.send<Made>('POST', `${path`deployments/${id}`}/${verb}`, {})
      return started(context, options, reply.body)
    }),
  )
}

const waits = (command: Command): Command =>
  command
    .option('--wait', 'show progress until it ends; the exit code says how')
    .addOption(timeout('stop waiting after this long (1h unless told); the deployment goes on'))

interface Creating extends Waiting, SaidOptions {
  readonly machine?: readonly string[]
}

interface Made extends Partial<WayBack> {
  readonly id: string
}

async function create(context: Context, options: Creating, projectId: string, version: string, environmentId: string) {
  const { client } = context
  const named = await findMachines(client, options.machine ?? [], { environment: environmentId })
  const machines = named.length === 0 ? {} : { machines: named.map(({ id }) => id) }
  const body = { projectId, version, environmentId, ...machines, ...optionsSaid(options) }
  const reply = await client.send<Made>('POST', 'deployments', body)
  return started(context, options, reply.body)
}

async function rollback(context: Context, options: Creating, projectId: string, environmentId: string) {
  const { from, to } = await wayBack(context.client, projectId, environmentId)
  const body = { projectId, version: to, environmentId, ...optionsSaid(options) }
  const { body: made } = await context.client.send<Made>('POST', 'deployments', body)
  return started(context, options, { ...made, from, to }, `Deployment ${made.id} goes back from ${from} to ${to}.`)
}

async function started(
  context: Context,
  { wait, timeout: limitMs = waitMaxMs }: Waiting,
  made: Made,
  sentence = `Deployment ${made.id} is made.`,
): Promise<Exit | void> {
  const { id } = made
  if (wait === true) return finish(context, id, limitMs)
  context.show(made, () => `${sentence}\nremuda deploy watch ${id}\n`)
}

async function finish(context: Context, id: string, limitMs: number): Promise<Exit> {
  const row: DeploymentRow = await awaitDeployment(context, id, limitMs)
  context.show(row, (ended) => deploymentDetails(context, ended))
  return outcomeOf(row)
}
