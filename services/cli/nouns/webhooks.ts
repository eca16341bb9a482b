import { Option, type Command } from 'commander'
import { Topic } from '#contracts/webhook.ts'
import type { WebhookRow, WebhookTested } from '#contracts/webhookRows.ts'
import { path, type Client, type Reply } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { CliError, exits, usage, type Exit } from '../exit.ts'
import { paged, watchable, type ListOptions, type WatchOptions } from '../options.ts'
import { many } from '../values.ts'
import { view, viewList } from '../view.ts'
import { deliveriesOf, webhookColumns, webhookShown } from './webhookText.ts'

/** Who is told over HTTP of what happens. */
export function addWebhooks(program: Command, io: Io): void {
  const webhook = program.command('webhook').description('other systems that are told of what happens, over HTTP')
  hearing(webhook.command('create <name> <url>').description('a webhook; the secret that signs is shown once')).action(
    action(io, create),
  )
  watchable(paged(webhook.command('list').description('every webhook, the latest first'))).action(
    action(io, (context, options: ListOptions & WatchOptions) => {
      const none = 'There are no webhooks.'
      return viewList<WebhookRow>(context, options, { path: 'webhooks', columns: webhookColumns(context), none })
    }),
  )
  addLooks(webhook, io)
  const changing = webhook.command('change <webhook>').description('what is not named stays as it is')
  hearing(changing.option('--name <name>', 'another name').option('--url <url>', 'another address')).action(
    action(io, change),
  )
  webhook
    .command('rotate <webhook>')
    .description('a new secret, shown once; the one before signs as well until the next')
    .option('--drop-previous', 'the one before is not to be trusted: it signs no more')
    .action(action(io, rotate))
  addSwitches(webhook, io)
  webhook.addHelpText('after', help)
}

function addLooks(webhook: Command, io: Io): void {
  watchable(webhook.command('get <webhook>').description('one webhook, by id or name')).action(
    action(io, async (context, options: WatchOptions, given: string) => {
      const id = await idOf(context.client, given)
      const load = () => context.client.get<WebhookRow>(path`webhooks/${id}`)
      return view(context, options, load, (row) => webhookShown(context, row))
    }),
  )
  watchable(webhook.command('deliveries <webhook>').description('the last deliveries, and what waits')).action(
    action(io, async (context, options: WatchOptions, given: string) => {
      const id = await idOf(context.client, given)
      return view(context, options, ...deliveriesOf(context, id))
    }),
  )
  webhook.command('test <webhook>').description('send a test and tell what came of it').action(action(io, test))
}

function addSwitches(webhook: Command, io: Io): void {
  webhook
    .command('enable <webhook>')
    .description('send again, beginning with what happens from now on')
    .action(action(io, (context, _, given: string) => post(context, given, 'enable', 'sends from now on')))
  webhook
    .command('disable <webhook>')
    .description('send nothing any more')
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .action(
      action(io, (context, { reason }: { reason: string }, given: string) =>
        post(context, given, 'disable', 'sends nothing any more', { reason }),
      ),
    )
  webhook.command('delete <webhook>').description('take it away, and destroy its secrets').action(action(io, remove))
}

interface Hearing {
  readonly name?: string
  readonly url?: string
  readonly topic?: readonly string[]
  readonly eventType?: readonly string[]
  readonly environment?: readonly string[]
  readonly project?: readonly string[]
}

const hearing = (command: Command): Command =>
  command
    .addOption(new Option('--topic <topic>', `what it hears of: ${Topic.options.join(', ')}`).argParser(many))
    .option('--event-type <type>', 'every event of this type, such as StepFailed', many)
    .option('--environment <id>', 'only of these environments; `all` for all', many)
    .option('--project <id>', 'only of these projects; `all` for all', many)

/** What the options say, under the names that the API has for it. */
function bodyOf({ topic, eventType, environment, project, ...rest }: Hearing): Readonly<Record<string, unknown>> {
  const some = (ids: readonly string[] | undefined) => (ids?.includes('all') === true ? null : ids)
  const wanted = { topics: topic, eventTypes: eventType, environmentIds: some(environment), projectIds: some(project) }
  return Object.fromEntries(Object.entries({ ...rest, ...wanted }).filter(([, value]) => value !== undefined))
}

async function create(context: Context, options: Hearing, name: string, url: string): Promise<void> {
  showSecret(context, await context.client.send('POST', 'webhooks', bodyOf({ ...options, name, url })))
}

async function change(context: Context, options: Hearing, given: string): Promise<void> {
  const body = bodyOf(options)
  if (Object.keys(body).length === 0) throw usage('Nothing is to be changed.', 'remuda webhook change --help')
  const id = await idOf(context.client, given)
  context.done(await context.client.send('PATCH', path`webhooks/${id}`, body), `Webhook ${id} is changed.`)
}

async function rotate(context: Context, options: { dropPrevious?: boolean }, given: string): Promise<void> {
  const id = await idOf(context.client, given)
  const body = { keepPrevious: options.dropPrevious !== true }
  showSecret(context, await context.client.send('POST', path`webhooks/${id}/rotate`, body))
}

/** A repeat of a request is answered without the secret, which nobody has kept who could show it. */
function showSecret({ show, terminal }: Context, { body }: Reply<{ webhookId: string; secret: string | null }>): void {
  const { webhookId, secret } = body
  const what = 'The secret is shown only once and not to a repeat of the request.'
  if (secret === null) throw new CliError(exits.fault, 'SECRET_GONE', what, `remuda webhook rotate ${webhookId}`)
  show(body, () => `${terminal.style('bold', secret)}\n\nIt is shown only now, and signs what ${webhookId} sends.\n`)
}

async function test(context: Context, _options: object, given: string): Promise<Exit> {
  const id = await idOf(context.client, given)
  const { body } = await context.client.send<WebhookTested>('POST', path`webhooks/${id}/test`)
  context.show(body, ({ delivered, detail }) => `${delivered ? 'Delivered' : 'Not delivered'}: ${detail}.\n`)
  return body.delivered ? exits.ok : exits.refused
}

async function post(context: Context, given: string, verb: string, sentence: string, body?: object): Promise<void> {
  const id = await idOf(context.client, given)
  context.done(await context.client.send('POST', `${path`webhooks/${id}`}/${verb}`, body), `Webhook ${id} ${sentence}.`)
}

async function remove(context: Context, _options: object, given: string): Promise<void> {
  const id = await idOf(context.client, given)
  context.done(await context.client.send('DELETE', path`webhooks/${id}`), `Webhook ${id} is deleted.`)
}

async function idOf(client: Client, given: string): Promise<string> {
  const all = await Array.fromAsync(client.rows<WebhookRow>('webhooks'))
  if (all.some(({ id }) => id === given)) return given
  const [first, ...others] = all.filter(({ name }) => name === given)
  if (first === undefined)
    throw new CliError(exits.notFound, 'WEBHOOK_UNKNOWN', `There is no webhook ${given}.`, 'remuda webhook list')
  if (others.length === 0) return first.id
  const ids = [first, ...others].map(({ id }) => id).join(', ')
  throw new CliError(exits.refused, 'WEBHOOK_AMBIGUOUS', `${given} is the name of several: ${ids}.`, 'give an id')
}

const help = `
Examples:
  remuda webhook create chat https://hooks.example.com/a --topic deployment-failed,incident-opened
  remuda webhook create audit https://audit.example.com/ --event-type MachineDeregistered --environment production
  remuda webhook test chat
  remuda webhook deliveries chat --watch
  remuda webhook rotate chat --drop-previous`
