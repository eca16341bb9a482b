import { Option, type Command } from 'commander'
import type { EventRow } from '#contracts/eventRow.ts'
import type { Page } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { Interrupted } from '../exit.ts'
import { durationMs, whole } from '../values.ts'
import { follow } from '../sse.ts'
import { table } from '../table.ts'
import { eventColumns, eventLine } from './eventText.ts'

const limitMax = 1_000
const positionMax = Number.MAX_SAFE_INTEGER

interface Filters {
  readonly after?: number
  readonly type?: string
  readonly stream?: string
}

export function addEvents(program: Command, io: Io): void {
  const events = program.command('events').description('the log itself: everything that happened, and its cause')
  filtered(events.command('list').description('events, oldest first'))
    .addOption(new Option('--limit <count>', 'how many').default(100).argParser(whole(1, limitMax)))
    .action(action(io, list))
  filtered(
    events.command('follow').description('events as they happen; goes on where it stopped when the connection is lost'),
  )
    .option('--timeout <duration>', 'stop after this long', durationMs)
    .option('--count <count>', 'stop after this many', whole(1, positionMax))
    .action(action(io, followed))
  events.addHelpText('after', help)
}

const filtered = (command: Command): Command =>
  command
    .option('--after <position>', 'events behind this position', whole(0, positionMax))
    .option('--type <type>', 'of this type, such as MachineDeregistered')
    .option('--stream <stream>', 'of this stream, such as machine-web-07')

async function list(context: Context, { after, type, stream, limit }: Filters & { limit: number }): Promise<void> {
  const page = await context.client.get<Page<EventRow>>('events', { after, type, stream, limit })
  context.show(page, ({ items, next }) => {
    if (next !== null) context.note(`There are more: --after ${next}`)
    return items.length === 0 ? 'There are no such events.\n' : table(context.terminal, eventColumns(context), items)
  })
}

interface Following extends Filters {
  readonly timeout?: number
  readonly count?: number
}

async function followed(context: Context, { timeout, count = positionMax, ...query }: Following): Promise<void> {
  const { client, clock, signal, terminal } = context
  const over = new AbortController()
  const timer = timeout === undefined ? undefined : clock.timer(timeout, () => over.abort())
  const onLost = (why: string) => context.note(`connection lost (${why}); coming back`)
  let seen = 0
  const isLast = () => ++seen >= count
  try {
    const options = { query: { ...query }, signal: AbortSignal.any([signal, over.signal]), onLost, isLast }
    for await (const { data } of follow(client, 'events/stream', options)) {
      const event = JSON.parse(data) as EventRow
      terminal.out(context.json ? `${JSON.stringify(event)}\n` : eventLine(context, event))
    }
  } finally {
    timer?.cancel()
  }
  if (signal.aborted) throw new Interrupted(signal.reason)
}

const help = `
Examples:
  remuda events list --type MachineDeregistered
  remuda events list --stream environment-production --output json
  remuda events follow --after 0 --output json | jq .type`
