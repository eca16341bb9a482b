import { Option, type Command } from 'commander'
import { withoutPassword } from '#libs/store/withoutPassword.ts'
import { action, type Context, type Io } from '../context.ts'
import { exits, usage, type Exit } from '../exit.ts'
import { details } from '../table.ts'
import { harmless } from '../terminal.ts'
import { counted, nothing } from '../format.ts'
import { storeProgress } from './storeProgress.ts'
import { openGiven, sayWhy } from './storeUrl.ts'

export function addStores(program: Command, io: Io): void {
  const store = program.command('store').description('the event store itself, with no server: check it, move it')
  store
    .command('verify')
    .description('read everything once: nothing missing, nothing changed, every event readable')
    .addOption(new Option('--store-url <url>', 'the store (REMUDA_STORE_URL, or the file in the data folder)'))
    .addOption(dataFolder())
    .action(action(io, (context, options: Verifying) => verify(context, io.env, options)))
  store
    .command('copy')
    .description('make one store hold what another one does; interrupted, it goes on where it stopped')
    .requiredOption('--from <url>', 'the store that is read; no server may write to it meanwhile')
    .requiredOption('--to <url>', 'the store that is written: a new one, or one that a copy has begun')
    .addOption(dataFolder())
    .action(action(io, (context, options: CopyingOptions) => copy(context, io.env, options)))
  store.addHelpText('after', help)
}

const dataFolder = () => new Option('--data <folder>', 'the data folder, for sqlite: alone (REMUDA_DATA, or ./data)')

interface Verifying {
  readonly storeUrl?: string
  readonly data?: string
}

interface CopyingOptions {
  readonly from: string
  readonly to: string
  readonly data?: string
}

// Stores are loaded only by who asks for them, so that every other command starts as fast as before.
async function verify(context: Context, env: Io['env'], options: Verifying): Promise<Exit> {
  const [{ verifyFacts }, { factSchemas }] = await Promise.all([
    import('#libs/store/verifyFacts.ts'),
    import('#contracts/facts.ts'),
  ])
  const url = options.storeUrl ?? (env['REMUDA_STORE_URL'] || 'sqlite:')
  const found = await sayWhy(async () => {
    await using store = await openGiven(context, env, { url, data: options.data, lookOnly: true })
    return await verifyFacts(store, factSchemas, context.signal)
  })
  const { events, streams, sha256, unknown, problems } = found
  context.show({ store: withoutPassword(url), ...found }, () =>
    [
      details(context.terminal, [
        ['store', withoutPassword(url)],
        ['events', events],
        ['streams', streams],
        ['sha256', sha256 ?? nothing],
        ['unknown types', counted(unknown)],
        ['problems', problems.length === 0 ? 'none' : { text: String(problems.length), style: 'red' }],
      ]),
      ...problems.map((problem) => `  ${harmless(problem)}\n`),
    ].join(''),
  )
  return problems.length === 0 ? exits.ok : exits.fault
}

async function copy(context: Context, env: Io['env'], { from, to, data }: CopyingOptions): Promise<void> {
  if (from === to) throw usage('A store is not copied to itself.', 'give --to another store')
  const { copyStore } = await import('#libs/store/copy.ts')
  const copied = await sayWhy(async () => {
    await using source = await openGiven(context, env, { url: from, data, lookOnly: true })
    await using target = await openGiven(context, env, { url: to, data, lookOnly: false })
    const progress = storeProgress(context)
    const done = await copyStore({ from: source, to: target, signal: context.signal, onProgress: progress.show })
    progress.end()
    return done
  })
  context.show({ from: withoutPassword(from), to: withoutPassword(to), ...copied }, ({ events, sha256 }) =>
    details(context.terminal, [
      ['events', `${events}, of which ${copied.copied} were copied now`],
      ['sha256', `${sha256}, of both`],
      ['next', `remuda serve --store-url ${withoutPassword(to)}`],
    ]),
  )
}

const help = `
Events keep their ids, versions, times, causes and order; tokens and policies are events and move with them. So do the
checkpoints and parked events of reactors; snapshots are made anew. Keep the data folder: it holds the admin token.
A password in a URL shows in process lists; for PostgreSQL, PGPASSWORD is read when the URL has none.

Examples:
  remuda store verify
  remuda store verify --store-url postgres://remuda@db.example/fleet
  remuda store copy --from sqlite: --to postgres://remuda@db.example/fleet`
