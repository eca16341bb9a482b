import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Recorded } from '#contracts/message.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { startProjector } from '#libs/projector.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { systemClock } from '#libs/systemClock.ts'
import type { View } from '#libs/view.ts'
import { compare, perSecond, scaled } from './harness.ts'

interface Row {
  readonly id: string
  readonly name: string
  readonly environmentId: string
  readonly roles: readonly string[]
  readonly enabled: boolean
  readonly status: string
  readonly statusSince: number
  readonly facts: { readonly hostname: string; readonly os: string; readonly addresses: readonly string[] }
  readonly changedAt: number
}
type Fact =
  | { readonly type: 'Registered'; readonly data: Pick<Row, 'id' | 'name' | 'environmentId' | 'roles' | 'facts'> }
  | { readonly type: 'Judged'; readonly data: { readonly id: string; readonly status: string } }

/** As the machines view of the query service: columns to filter by, an index over two of them, and tallies. */
const machines: View<Row, Fact> = {
  name: 'machines.v1',
  observes: ['Registered', 'Judged'],
  keysOf: ({ data }) => [data.id],
  project(row, fact) {
    const changedAt = fact.meta.at
    if (fact.type === 'Registered')
      return { ...fact.data, enabled: true, status: 'unknown', statusSince: changedAt, changedAt }
    return row && { ...row, status: fact.data.status, statusSince: changedAt, changedAt }
  },
  columns: { environmentId: (row) => row.environmentId, status: (row) => row.status },
  indexes: [['environmentId', 'key']],
  tally: (row) => `${row.environmentId} ${row.status}`,
}

const batch = 10_000
const fleets = { large: scaled(100_000, 10_000), small: 1_000 }
const judgements = scaled(500_000, 20_000)
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
const statuses = ['healthy', 'degraded', 'unhealthy', 'unavailable']
let files = 0

const idOf = (number: number) => `machine-${number.toString(36).padStart(8, '0')}-${(number * 7919) % 997}`
const scatter = (number: number, range: number) => ((number * 2_654_435_761) % 4_294_967_296) % range

function recorded(fact: Fact, position: number): Recorded<Fact> {
  const about = { actor: 'service:health', commandId: `${position}`, correlationId: `${position}`, causationId: null }
  const meta = {
    id: `${position}`,
    stream: `health-${fact.data.id}`,
    version: 1,
    position,
    at: 1.7e12 + position,
    ...about,
  }
  return { ...fact, meta }
}

function registered(number: number): Fact {
  const facts = {
    hostname: `host-${number}.example.org`,
    os: 'linux 6.1',
    addresses: [`10.0.${number % 256}.7`, 'fe80::1'],
  }
  const data = {
    id: idOf(number),
    name: `web-${number}`,
    environmentId: `env-${number % 9}`,
    roles: ['web', 'cache'],
    facts,
  }
  return { type: 'Registered', data }
}

function eventsFor(fleet: number): Recorded<Fact>[] {
  const events = Array.from({ length: fleet }, (_, number) => recorded(registered(number), number + 1))
  for (let number = 0; number < judgements; number++) {
    const data = { id: idOf(scatter(number, fleet)), status: statuses[scatter(number, 4_001) % 4] ?? '' }
    events.push(recorded({ type: 'Judged', data }, events.length + 1))
  }
  return events
}

const openDatabase = () => new DatabaseSync(join(folder, `${(files += 1)}.db`))

/** The projector as it runs, over a store that costs nothing to read. Only the judgements are timed. */
async function projectorRate(events: readonly Recorded<Fact>[], fleet: number, rows: number): Promise<number> {
  const database = openDatabase()
  const disk = createMemoryDisk()
  const feed = (from: number, to: number) => {
    for (let at = from; at < to; at++) disk.events.push(events[at]!)
  }
  feed(0, fleet)
  await using store = openMemoryStore({ clock: systemClock, disk })
  await using bus = createMemoryBus({ clock: systemClock, log: silentLog })
  const options = { database, views: [machines], store, bus, clock: systemClock, log: silentLog, idleMs: 1 }
  const projector = await startProjector({ ...options, batchMax: batch })
  await projector.reached(fleet, 60_000)
  const rate = await perSecond(rows, async () => {
    feed(fleet, events.length)
    if (!(await projector.reached(events.length, 120_000))) throw new Error('the projector is stuck')
  })
  await projector[Symbol.asyncDispose]()
  database.close()
  return rate
}

interface Upsert {
  readonly row: Row
  readonly position: number
}

/** The rows that each batch leaves changed. */
function batchesOf(events: readonly Recorded<Fact>[]): Upsert[][] {
  const rows = new Map<string, Row>()
  const batches: Upsert[][] = []
  for (let from = 0; from < events.length; from += batch) {
    const changed = new Map<string, Upsert>()
    for (const event of events.slice(from, from + batch)) {
      const row = machines.project(rows.get(event.data.id), event, event.data.id)!
      rows.set(event.data.id, row)
      changed.set(event.data.id, { row, position: event.meta.position })
    }
    batches.push([...changed.values()])
  }
  return batches
}

/** The same rows in the same batches by the statement that comes to mind first, and nothing else: no fold, no counts. */
async function upsertRate(batches: readonly (readonly Upsert[])[], fleet: number): Promise<number> {
  const database = openDatabase()
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 16000;
    CREATE TABLE machines (key TEXT PRIMARY KEY, doc TEXT NOT NULL, position INTEGER NOT NULL, environmentId, status);
    CREATE INDEX machines_environment ON machines (environmentId, key)`)
  const upsert = database.prepare(`INSERT INTO machines VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
    doc = excluded.doc, position = excluded.position, environmentId = excluded.environmentId, status = excluded.status`)
  const write = (rows: readonly Upsert[]) => {
    database.exec('BEGIN')
    for (const { row, position } of rows)
      upsert.run(row.id, JSON.stringify(row), position, row.environmentId, row.status)
    database.exec('COMMIT')
  }
  batches.slice(0, fleet / batch).forEach(write)
  const judged = batches.slice(fleet / batch)
  const rate = await perSecond(rowsIn(judged), () => judged.forEach(write))
  database.close()
  return rate
}

const rowsIn = (batches: readonly (readonly Upsert[])[]) => batches.reduce((sum, { length }) => sum + length, 0)

const large = eventsFor(fleets.large)
const largeBatches = batchesOf(large)
const largeRows = rowsIn(largeBatches.slice(fleets.large / batch))
const small = eventsFor(fleets.small)
const smallRows = (judgements / batch) * fleets.small

await compare({
  title: `P4 machines view, ${fleets.large.toLocaleString('en')} machines, batches of ${batch.toLocaleString('en')}`,
  unit: 'rows/s',
  candidates: {
    projector: () => projectorRate(large, fleets.large, largeRows),
    upserts: () => upsertRate(largeBatches, fleets.large),
    'projector, 1,000 machines': () => projectorRate(small, fleets.small, smallRows),
  },
  targets: [
    { of: 'projector', against: 'upserts', atLeast: 0.8 },
    { of: 'projector, 1,000 machines', against: 'projector', atMost: 3 },
  ],
})
rmSync(folder, { recursive: true })
