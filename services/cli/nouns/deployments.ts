import { Argument, Option, type Command } from 'commander'
import { DeploymentDecision } from '#contracts/decision.ts'
import { DeploymentState, type DeploymentRow, type TaskRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { view, viewList } from '../view.ts'
import { addDeploying } from './deploying.ts'
import { addExclusion } from './exclusion.ts'
import { addDeploymentLog } from './deploymentLog.ts'
import { addDeploymentPlan } from './deploymentPlan.ts'
import { addDeploymentQueue } from './deploymentQueue.ts'
import { deploymentColumns, deploymentDetails, taskColumns } from './deploymentText.ts'

interface Filters {
  readonly environment?: string
  readonly project?: string
  readonly state?: string
}

export function addDeployments(program: Command, io: Io): void {
  const deploy = program
    .command('deploy')
    .alias('deployment')
    .description('deployments: releases on their way to machines')
  addDeploying(deploy, io)
  addReading(deploy, io)
  addDeploymentQueue(deploy, io)
  addDeploymentPlan(deploy, io)
  addDeploymentLog(deploy, io)
  addChanging(deploy, io)
  deploy.addHelpText('after', help)
}

function addReading(deploy: Command, io: Io): void {
  const list = deploy
    .command('list')
    .description('deployments, newest first')
    .option('--environment <id>', 'to this environment')
    .option('--project <id>', 'of this project')
    .addOption(new Option('--state <state>', 'which are so').choices(DeploymentState.options))
  watchable(paged(list)).action(
    action(io, (context, { environment, project, state, ...options }: Filters & ListOptions & WatchOptions) =>
      viewList(context, options, {
        path: 'deployments',
        query: { environment, project, state },
        columns: deploymentColumns(context),
        none: 'There are no deployments that this list asks for.',
      }),
    ),
  )
  watchable(deploy.command('get <deployment>').description('its steps and what became of each target')).action(
    action(io, (context, options: WatchOptions, id: string) => {
      const load = () => context.client.get<DeploymentRow>(path`deployments/${id}`)
      return view(context, options, load, (row) => deploymentDetails(context, row))
    }),
  )
  watchable(paged(deploy.command('tasks <deployment>').description('each try of each step on each machine'))).action(
    action(io, (context, options: ListOptions & WatchOptions, id: string) =>
      viewList<TaskRow>(context, options, {
        path: path`deployments/${id}/tasks`,
        columns: taskColumns(context),
        none: 'No task has been given to a machine.',
      }),
    ),
  )
}

function addChanging(deploy: Command, io: Io): void {
  deploy
    .command('cancel <deployment>')
    .description('stop it; what runs on machines is asked to end')
    .option('--reason <text>', 'why, for those who ask later')
    .action(
      action(io, async (context, { reason }: { reason?: string }, id: string) => {
        const body = reason === undefined ? {} : { reason }
        const reply = await context.client.send('POST', path`deployments/${id}/cancel`, body)
        context.done(reply, `Deployment ${id} is being cancelled.`)
      }),
    )
  addExclusion(deploy, io)
  addChoice(deploy, io)
  addDecision(deploy, io, 'approve', 'let a deployment go on that waits for a person', 'may go on')
  addDecision(deploy, io, 'reject', 'end a deployment that waits for a person', 'is rejected')
}

function addDecision(deploy: Command, io: Io, decision: 'approve' | 'reject', purpose: string, done: string): void {
  const decide = async (context: Context, { comment = '' }: { comment?: string }, id: string) => {
    const reply = await context.client.send('POST', path`deployments/${id}/decide`, { decision, comment })
    context.done(reply, `Deployment ${id} ${done}.`)
  }
  deploy
    .command(`${decision} <deployment>`)
    .description(purpose)
    .option('--comment <text>', 'what is to be remembered of it')
    .action(action(io, decide))
}

interface Choice {
  readonly step?: string
  readonly machine?: string
  readonly comment?: string
}

/** One word for all that a deployment may wait for; approving and rejecting have their own as well. */
function addChoice(deploy: Command, io: Io): void {
  const choose = async (context: Context, options: Choice, id: string, decision: string) => {
    const { step: stepId, machine: machineId, comment = '' } = options
    const about = { ...(stepId !== undefined && { stepId }), ...(machineId !== undefined && { machineId }) }
    const reply = await context.client.send('POST', path`deployments/${id}/decide`, { decision, comment, ...about })
    context.done(reply, `Deployment ${id}: ${decision}.`)
  }
  deploy
    .command('decide <deployment>')
    .description('say what becomes of a target that failed, where its step asks a person')
    .addArgument(new Argument('<decision>', 'what to do').choices(DeploymentDecision.options))
    .option('--step <id>', 'the step it is about, where more than one asks')
    .option('--machine <id>', 'the machine it is about, by id, where more than one has failed')
    .option('--comment <text>', 'what is to be remembered of it')
    .action(action(io, choose))
}

const help = `
Examples:
  remuda deploy create shop 1.5.0 production --wait --timeout 30m
  remuda deploy create shop 1.5.0 production --machine web-07,web-08
  remuda deploy rollback shop production --wait
  remuda deploy list --state running --watch
  remuda deploy plan <deployment> 3 --against 1
  remuda deploy log <deployment> --follow --machine web-07`
