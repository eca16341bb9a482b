import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { adoptInto } from './adopt.ts'
import { Connections } from './connections.ts'
import { Doorbell } from './doorbell.ts'
import { asFault } from './faults.ts'
import { patiently, type Patience } from './patience.ts'
import { Reader } from './reader.ts'
import { prepareSchema } from './schema.ts'
import { targetOf, type Target } from './target.ts'
import { Writer } from './writer.ts'

const defaults = { patienceMs: 5_000, pollMs: 1_000, lookOnly: false }
const graceMs = 5_000

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`, with `?schema=` for another schema than `remuda`. */
  readonly url: string
  readonly clock: Clock
  /** It is only to be looked at: tables that are not there are a mistake, and a backup starts no epoch. */
  readonly lookOnly?: boolean
  readonly log?: { warn(details: object, message: string): void }
  /** How long a server that is away is waited for before an operation fails, in milliseconds (default 5 s). */
  readonly patienceMs?: number
  /** How often followers look for themselves, in case a notification was lost (default 1 s). */
  readonly pollMs?: number
}

/** The parts of an open store, put together. */
export interface Engine extends AsyncDisposable {
  readonly target: Target
  readonly epoch: number
  readonly writer: Writer
  readonly reader: Reader
  readonly doorbell: Doorbell
  adopt(events: readonly Recorded[], datas: readonly string[]): Promise<number | 'conflict'>
}

/** Connects, makes the tables if need be, and finds out which epoch it is. Throws `StoreFault`. */
export async function openEngine(options: PostgresOptions): Promise<Engine> {
  const { url, clock, lookOnly, log, patienceMs, pollMs } = { ...defaults, ...options }
  const target = targetOf(url)
  const closing = new AbortController()
  const patience: Patience = { clock, patienceMs, closing: closing.signal }
  await using opened = new AsyncDisposableStack()
  const connections = new Connections(target)
  opened.defer(() => atMost(clock, graceMs, connections[Symbol.asyncDispose]()))
  const home = await patiently(patience, () => moveInto(connections, target, clock, lookOnly)).catch(
    (error: unknown) => {
      throw asFault(error, `opening ${target.shown}`)
    },
  )
  connections.expect(home)

  const reader = new Reader(connections.reading, patience)
  const position = await reader.head()
  const parts = { connections, reader, clock, schema: target.schema, pollMs, position, closing: closing.signal }
  const doorbell = new Doorbell({ ...parts, ...(log && { log }) })
  const { writing: pool, backendOf } = connections
  const committed = (upTo: number) => doorbell.advance(upTo)
  const writer = new Writer({ ...patience, pool, backendOf, committed })
  opened.defer(() => closing.abort())
  opened.defer(() => atMost(clock, graceMs, writer.idle()))
  opened.defer(() => doorbell.news.close())
  const adopt: Engine['adopt'] = async (events, datas) => {
    const last = await adoptInto(pool, events, datas)
    if (last !== 'conflict') committed(last)
    return last
  }
  const all = opened.move()
  const dispose = () => all.disposeAsync()
  return { target, epoch: home.epoch, writer, reader, doorbell, adopt, [Symbol.asyncDispose]: dispose }
}

async function moveInto(connections: Connections, { schema }: Target, clock: Clock, lookOnly: boolean) {
  const client = await connections.connect()
  try {
    return await prepareSchema(client, schema, clock, lookOnly)
  } finally {
    await client.end()
  }
}

/** Waits for what is being done, and no longer than that: a server that does not answer must not keep us from ending. */
async function atMost(clock: Clock, timeoutMs: number, done: Promise<void>): Promise<void> {
  const over = new AbortController()
  await Promise.race([done, clock.sleep(timeoutMs, over.signal)])
  over.abort()
}
