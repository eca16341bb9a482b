import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#libs/clock.ts'
import { News, type Pages } from '../follow.ts'
import { StoreFault } from '../store.ts'
import { connect } from './connection.ts'
import { Fences } from './fences.ts'
import { Heads } from './heads.ts'
import { HeadsSaver } from './headsSaver.ts'
import { HeadsTable } from './headsTable.ts'
import { lockStore } from './lock.ts'
import { createReader, type Reader } from './reader.ts'
import { Recent } from './recent.ts'
import { lastSealed, prepareSchema, readSetting, startEpoch } from './schema.ts'
import { Types } from './types.ts'
import { boundLog, type Warn } from './walBound.ts'
import { nextTurn, Writer } from './writer.ts'

const followPageEvents = 1_000

export interface SqliteOptions {
  readonly path: string
  readonly clock: Clock
  /** Whether a backup stays one, since it is only to be looked at. */
  readonly lookOnly?: boolean
  /** Caps the size of the file, in bytes. */
  readonly bytesMax?: number
  readonly log?: Warn
}

/** The parts of an open store, put together. */
export interface Engine extends AsyncDisposable {
  /** The connection; throws `StoreFault` once the store is closed. */
  readonly db: () => DatabaseSync
  readonly epoch: number
  readonly writer: Writer
  readonly reader: Reader
  readonly news: News
  readonly pages: Pages
}

/** Opens the file, creating it if need be, and makes sure that nobody else writes it. Throws `StoreFault`. */
export async function openEngine({ path, clock, lookOnly = false, log, ...limits }: SqliteOptions): Promise<Engine> {
  await using opened = new AsyncDisposableStack()
  mkdirSync(dirname(path), { recursive: true })
  opened.use(lockStore(path, clock))
  const db = opened.use(connect(path, limits))
  prepareSchema(db)
  const epoch = lookOnly ? readSetting(db, 'epoch') : startEpoch(db, clock)

  const table = new HeadsTable(db)
  table.catchUp()
  const heads = new Heads(table, clock.chance() * 2 ** 32)
  const types = new Types(db)
  const fences = new Fences(db)
  const end = lastSealed(db)
  const saver = new HeadsSaver(heads, table, end.position)
  const [news, recent] = [new News(), new Recent()]
  const committed = whenCommitted(news, recent)
  const writer = new Writer({ db, clock, heads, saver, types, fences, committed, ...end })
  const reader = createReader(db, heads, types)
  opened.use(boundLog(db, path, clock, log))
  opened.defer(() => writer.finish())
  opened.defer(() => news.close())

  const parts = opened.move()
  return {
    db() {
      if (news.closed) throw new StoreFault('The store is closed. Open it again.')
      return db
    },
    epoch,
    writer,
    reader,
    news,
    pages: pagesOf(writer, reader, recent),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

const whenCommitted =
  (news: News, recent: Recent): ConstructorParameters<typeof Writer>[0]['committed'] =>
  (commit) => {
    if (news.followers > 0) recent.add(commit)
    else recent.clear()
    news.wake()
  }

const pagesOf = (writer: Writer, reader: Reader, recent: Recent): Pages => ({
  position: () => writer.position,
  page: (after) => recent.page(after, followPageEvents) ?? reader.page(after, followPageEvents),
  breathe: (position) => (position < writer.position ? nextTurn() : undefined),
})
