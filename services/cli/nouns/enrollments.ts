import type { Command } from 'commander'
import type { EnrollmentRow } from '#contracts/credentialRows.ts'
import { usesMax } from '#contracts/enrollment.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { listed } from '../format.ts'
import { when } from '../time.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { durationMs, many, whole } from '../values.ts'
import type { Column } from '../table.ts'
import { viewList } from '../view.ts'
import { secretOf } from './secret.ts'

export function addEnrollments(program: Command, io: Io): void {
  const enroll = program
    .command('enroll')
    .alias('enrollment')
    .description('join tokens, with which machines register themselves')
  describeCreate(enroll.command('create'), io)
  watchable(paged(enroll.command('list').description('join tokens; what they are is never shown again'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList(context, options, { path: 'enrollments', columns: columns(context), none: 'There are no join tokens.' }),
    ),
  )
  enroll
    .command('revoke <id>')
    .description('no machine can join with it any more; those that did stay')
    .option('--reason <text>', 'why, for those who ask later')
    .action(
      action(io, async (context, { reason }: { reason?: string }, id: string) => {
        const body = reason === undefined ? {} : { reason }
        const reply = await context.client.send('DELETE', path`enrollments/${id}`, body)
        context.done(reply, `Join token ${id} is revoked.`)
      }),
    )
  enroll.addHelpText('after', help)
}

/** `enroll create`, which is also called `token join`. */
export function describeCreate(command: Command, io: Io): void {
  command
    .description('a join token, and the command that starts an agent with it')
    .requiredOption('--environment <id>', 'the environment that machines join')
    .option('--role <role>', 'the roles they may take', many)
    .option('--expires <duration>', 'how long it can be used (30m unless told)', durationMs)
    .option('--uses <count>', 'how many machines can use it (1 unless told)', whole(1, usesMax))
    .action(action(io, create))
}

interface Creating {
  readonly environment: string
  readonly role?: readonly string[]
  readonly expires?: number
  readonly uses?: number
}

async function create(context: Context, options: Creating): Promise<void> {
  const { client, terminal } = context
  const body = {
    environmentId: options.environment,
    roles: options.role ?? [],
    ...(options.expires === undefined ? {} : { expiresInMs: options.expires }),
    ...(options.uses === undefined ? {} : { usesMax: options.uses }),
  }
  const reply = await client.send<object>('POST', 'enrollments', body)
  context.show(reply.body, (made) => {
    const token = secretOf(made)
    const command = `REMUDA_TOKEN=${token} remuda agent --server ${client.server}`
    return `${terminal.style('bold', token)}\n\nIt is shown only now. On the machine:\n\n  ${command}\n`
  })
}

const columns = ({ terminal, clock }: Context): readonly Column<EnrollmentRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'environment', cell: ({ environmentId }) => environmentId },
  { title: 'roles', cell: ({ roles }) => listed(roles), flexible: true },
  { title: 'uses', align: 'right', cell: ({ uses, usesMax: most }) => `${uses}/${most}` },
  { title: 'expires', cell: ({ expiresAt }) => when(terminal, clock, expiresAt) },
  { title: 'revoked', cell: ({ revoked }) => (revoked ? { text: 'yes', style: 'red' } : 'no') },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt) },
]

const help = `
Examples:
  remuda enroll create --environment production --role web
  remuda enroll create --environment burst --role worker --uses 500 --expires 12h
  remuda enroll revoke <id>`
