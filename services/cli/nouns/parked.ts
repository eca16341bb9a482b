import type { Command } from 'commander'
import type { ParkedRequestRow } from '#contracts/parked.ts'
import { path } from '../client.ts'
import { action, type Context, type Io } from '../context.ts'
import { watchable, type WatchOptions } from '../options.ts'
import { table, type Column } from '../table.ts'
import { when } from '../time.ts'
import { view } from '../view.ts'

interface ParkedEvent {
  readonly reactor: string
  readonly position: number
  readonly stream: string
  readonly type: string
  readonly reason: string
  readonly attempts: number
  readonly parkedAt: string
}

export function addParked(program: Command, io: Io): void {
  const parked = program.command('parked').description('what could not be acted upon: events, and requests of others')
  watchable(parked.command('events').description('events that a part of Remuda could not act upon')).action(
    action(io, events),
  )
  parked.command('retry <reactor> <position>').description('try again to act upon an event').action(action(io, retry))
  watchable(
    parked.command('requests').description('requests over the bus that could not be read, or refused unheard'),
  ).action(action(io, requests))
  parked
    .command('dismiss <number>')
    .description('take a request off the list that you have seen to')
    .action(action(io, dismiss))
  parked.addHelpText('after', help)
}

const events = (context: Context, options: WatchOptions): Promise<void> =>
  view(
    context,
    options,
    () => context.client.get<{ items: readonly ParkedEvent[] }>('parked'),
    ({ items }) =>
      items.length === 0 ? 'Nothing is parked.\n' : table(context.terminal, eventColumns(context), items),
  )

async function retry({ client, ...context }: Context, _options: object, reactor: string, position: string) {
  const reply = await client.send<{ settled: boolean }>('POST', path`parked/${reactor}/${position}/retry`, {})
  const outcome = reply.body.settled ? 'is settled' : 'failed again and stays parked'
  context.done(reply, `The event at ${position} ${outcome}.`)
}

const requests = (context: Context, options: WatchOptions): Promise<void> =>
  view(
    context,
    options,
    () => context.client.get<{ items: readonly ParkedRequestRow[]; dropped: number }>('parked/requests'),
    ({ items, dropped }) => {
      if (dropped > 0) context.note(`${dropped} older ones had to make room.`)
      return items.length === 0 ? 'No request is parked.\n' : table(context.terminal, requestColumns(context), items)
    },
  )

async function dismiss({ client, ...context }: Context, _options: object, number: string): Promise<void> {
  const reply = await client.send<{ dismissed: boolean }>('DELETE', path`parked/requests/${number}`)
  context.done(reply, reply.body.dismissed ? `Request ${number} is off the list.` : `No request ${number} is parked.`)
}

const eventColumns = ({ terminal, clock }: Context): readonly Column<ParkedEvent>[] => [
  { title: 'reactor', cell: ({ reactor }) => reactor },
  { title: 'position', cell: ({ position }) => String(position) },
  { title: 'stream', cell: ({ stream }) => stream },
  { title: 'type', cell: ({ type }) => type },
  { title: 'attempts', cell: ({ attempts }) => String(attempts) },
  { title: 'parked', cell: ({ parkedAt }) => when(terminal, clock, parkedAt) },
  { title: 'reason', cell: ({ reason }) => reason, flexible: true },
]

const requestColumns = ({ terminal, clock }: Context): readonly Column<ParkedRequestRow>[] => [
  { title: 'number', cell: ({ number }) => String(number) },
  { title: 'type', cell: ({ type }) => type },
  { title: 'actor', cell: ({ actor }) => actor },
  { title: 'source', cell: ({ source }) => source ?? '-' },
  { title: 'parked', cell: ({ parkedAt }) => when(terminal, clock, parkedAt) },
  { title: 'code', cell: ({ code }) => code },
  { title: 'detail', cell: ({ detail }) => detail, flexible: true },
]

const help = `
Examples:
  remuda parked events
  remuda parked retry automatic-deployments.v1 4711
  remuda parked requests --output json
  remuda parked dismiss 179000000000042`
