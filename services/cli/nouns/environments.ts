import type { Command } from 'commander'
import type { RemovedMachineRow } from '#contracts/fleetRows.ts'
import type { EnvironmentRow } from '#contracts/rows.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { checked, readDocument } from '../document.ts'
import { counted, nothing, share } from '../format.ts'
import { when } from '../time.ts'
import { asOfHelp, paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { many } from '../values.ts'
import { findMachines } from '../resolve.ts'
import { details, type Column } from '../table.ts'
import { view, viewList } from '../view.ts'
import { PolicySettings } from '#contracts/policySettings.ts'
import { addForesight } from './foresight.ts'
import { addPolicy } from './policy.ts'

export function addEnvironments(program: Command, io: Io): void {
  const env = program.command('env').alias('environment').description('environments, their policy and what it removed')
  watchable(paged(env.command('list').description('every environment with its machines by status'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList(context, options, {
        path: 'environments',
        columns: columns(context),
        none: 'There are no environments.',
      }),
    ),
  )
  watchable(env.command('get <environment>').description('one environment')).action(
    action(io, (context, options: WatchOptions, id: string) =>
      view(
        context,
        options,
        () => context.client.get<EnvironmentRow>(path`environments/${id}`),
        (row) => shown(context, row),
      ),
    ),
  )
  env
    .command('create <id>')
    .description('a new environment')
    .option('--name <name>', 'what people call it')
    .option('--policy <file>', 'its policy, YAML or JSON; what is left out takes its default')
    .action(action(io, create))
  env.command('rename <environment> <name>').description('another name; the id stays').action(action(io, rename))
  addPolicy(env, io)
  addForesight(env, io)
  addRemovals(env, io)
  env.addHelpText('after', help)
}

function addRemovals(env: Command, io: Io): void {
  const removed = env
    .command('removed <environment>')
    .description('recently removed machines, and why')
    .option('--as-of <when>', asOfHelp)
  watchable(paged(removed)).action(
    action(io, (context, { asOf, ...options }: ListOptions & WatchOptions & { asOf?: string }, id: string) =>
      viewList(context, options, {
        path: path`environments/${id}/removed`,
        query: { asOf },
        columns: removedColumns(context),
        none: 'No machine has been removed lately.',
      }),
    ),
  )
  env
    .command('release-withheld <environment>')
    .description('let removals go that the mass-failure guard withholds')
    .option('--machine <machine>', 'only these, by name or id; all unless named', many)
    .action(action(io, releaseWithheld))
  env
    .command('undo <environment> <decision>')
    .description('take back one decision of the policy: restore all machines that it removed')
    .option('--reason <text>', 'why, for those who ask later')
    .action(action(io, undo))
}

async function create(context: Context, options: { name?: string; policy?: string }, id: string): Promise<void> {
  const policy =
    options.policy === undefined ? {} : { policy: checked(await readDocument(options.policy), PolicySettings) }
  const name = options.name === undefined ? {} : { name: options.name }
  context.done(
    await context.client.send('POST', 'environments', { id, ...name, ...policy }),
    `Environment ${id} is made.`,
  )
}

async function rename(context: Context, _options: object, id: string, name: string): Promise<void> {
  context.done(
    await context.client.send('PATCH', path`environments/${id}`, { name }),
    `Environment ${id} is now "${name}".`,
  )
}

async function undo(context: Context, { reason }: { reason?: string }, id: string, decision: string): Promise<void> {
  const body = reason === undefined ? {} : { reason }
  const reply = await context.client.send<{ readonly machineIds?: readonly string[] }>(
    'POST',
    path`environments/${id}/decisions/${decision}/revert`,
    body,
  )
  const count = reply.body.machineIds?.length ?? 0
  context.done(
    reply,
    count === 0
      ? 'It had been taken back before.'
      : `${count} ${count === 1 ? 'machine is' : 'machines are'} restored.`,
  )
}

async function releaseWithheld(context: Context, options: { machine?: readonly string[] }, id: string): Promise<void> {
  const { client } = context
  const machines = await findMachines(client, options.machine ?? [], { environment: id })
  const body = machines.length === 0 ? {} : { machines: machines.map((machine) => machine.id) }
  const whose =
    machines.length === 0 ? 'Every withheld removal' : `The removal of ${machines.map(({ name }) => name).join(', ')}`
  const reply = await client.send('POST', path`environments/${id}/guard/release`, body)
  context.done(reply, `${whose} in ${id} may go on.`)
}

const columns = ({ terminal, clock }: Context): readonly Column<EnvironmentRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'machines', cell: ({ machines }) => counted(machines), flexible: true },
  { title: 'elastic', cell: ({ policy }) => (policy.dynamicRegistration.enabled ? 'yes' : 'no') },
  { title: 'automatic', cell: ({ policy }) => (policy.automaticDeployments.enabled ? 'yes' : 'no') },
  { title: 'policy', align: 'right', cell: ({ policyVersion }) => policyVersion },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
]

const shown = ({ terminal, clock }: Context, row: EnvironmentRow): string =>
  details(terminal, [
    ['id', row.id],
    ['name', row.name],
    ['machines', counted(row.machines)],
    ['elastic', row.policy.dynamicRegistration.enabled ? 'yes: machines that stop answering are removed' : 'no'],
    ['automatic deployments', row.policy.automaticDeployments.enabled ? 'yes' : 'no'],
    ['mass-failure guard', row.policy.guard.enabled ? `from ${share(row.policy.guard.share)} unavailable` : 'off'],
    ['policy version', row.policyVersion],
    ['created', when(terminal, clock, row.createdAt)],
  ])

const removedColumns = ({ terminal, clock }: Context): readonly Column<RemovedMachineRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'removed', cell: ({ removal }) => when(terminal, clock, removal?.at ?? null) },
  { title: 'cause', cell: ({ removal }) => removal?.cause.kind ?? nothing },
  { title: 'by', cell: ({ removal }) => removal?.actor ?? nothing, flexible: true },
  { title: 'reason', cell: ({ removal }) => removal?.cause.reason ?? nothing, flexible: true },
  { title: 'decision', cell: ({ decisionId }) => decisionId ?? nothing },
  { title: 'name now', cell: ({ nameHolder }) => nameHolder?.machineId ?? 'free' },
]

const help = `
Examples:
  remuda env create production --policy policy.yaml
  remuda env policy set production dynamicRegistration.removeAfterMs=5m guard.share=0.25
  remuda env removed production --watch
  remuda env release-withheld production --machine web-07
  remuda env undo production 0191a0b0-0000-7000-8000-0000000000d1 --reason "the network was down"`
