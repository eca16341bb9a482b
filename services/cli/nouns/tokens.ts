import { Option, type Command } from 'commander'
import type { TokenRow } from '#contracts/credentialRows.ts'
import { Scope } from '#contracts/token.ts'
import { path, type Client } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { CliError, exits } from '../exit.ts'
import { nothing } from '../format.ts'
import { when } from '../time.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { durationMs } from '../values.ts'
import type { Column } from '../table.ts'
import { viewList } from '../view.ts'
import { describeCreate } from './enrollments.ts'
import { secretOf } from './secret.ts'

export function addTokens(program: Command, io: Io): void {
  const token = program.command('token').description('API tokens, for people and programs')
  token
    .command('create <name>')
    .description('an API token; it is shown once')
    .addOption(
      new Option('--scope <scope>', 'read: look; write: act; admin: also policies and tokens').choices(Scope.options),
    )
    .option('--expires <duration>', 'how long it is valid (90d unless told)', durationMs)
    .option('--never-expires', 'valid until it is revoked')
    .action(action(io, create))
  watchable(paged(token.command('list').description('API tokens; what they are is never shown again'))).action(
    action(io, (context, options: ListOptions & WatchOptions) =>
      viewList(context, options, { path: 'tokens', columns: columns(context), none: 'There are no API tokens.' }),
    ),
  )
  token.command('revoke <token>').description('by id or name; it is refused from now on').action(action(io, revoke))
  describeCreate(token.command('join'), io)
  token.addHelpText('after', help)
}

interface Creating {
  readonly scope?: Scope
  readonly expires?: number
  readonly neverExpires?: boolean
}

async function create(context: Context, options: Creating, name: string): Promise<void> {
  const expiresInMs = options.neverExpires === true ? null : options.expires
  const body = { name, scope: options.scope ?? 'read', ...(expiresInMs === undefined ? {} : { expiresInMs }) }
  const reply = await context.client.send<object>('POST', 'tokens', body)
  context.show(reply.body, (made) => `${context.terminal.style('bold', secretOf(made))}\n\nIt is shown only now.\n`)
}

async function revoke(context: Context, _options: object, given: string): Promise<void> {
  const id = await idOf(context.client, given)
  context.done(await context.client.send('DELETE', path`tokens/${id}`), `API token ${id} is revoked.`)
}

async function idOf(client: Client, given: string): Promise<string> {
  const all = await Array.fromAsync(client.rows<TokenRow>('tokens'))
  if (all.some(({ id }) => id === given)) return given
  const named = all.filter(({ name, revoked }) => name === given && !revoked)
  if (named.length === 1 && named[0] !== undefined) return named[0].id
  const ids = named.map(({ id }) => id).join(', ')
  if (named.length === 0)
    throw new CliError(exits.notFound, 'TOKEN_UNKNOWN', `There is no API token ${given}.`, 'remuda token list')
  throw new CliError(exits.refused, 'TOKEN_AMBIGUOUS', `${given} is the name of several tokens: ${ids}.`, 'give an id')
}

const columns = ({ terminal, clock }: Context): readonly Column<TokenRow>[] => [
  { title: 'id', cell: ({ id }) => id },
  { title: 'name', cell: ({ name }) => name, flexible: true },
  { title: 'scope', cell: ({ scope }) => scope },
  { title: 'expires', cell: ({ expiresAt }) => (expiresAt === null ? 'never' : when(terminal, clock, expiresAt)) },
  { title: 'revoked', cell: ({ revoked }) => (revoked ? { text: 'yes', style: 'red' } : 'no') },
  { title: 'created', cell: ({ createdAt }) => when(terminal, clock, createdAt ?? nothing) },
]

const help = `
Examples:
  remuda token create ci --scope write --expires 30d
  remuda token create dashboard --scope read --output json
  remuda token revoke ci
  remuda token join --environment production --role web`
