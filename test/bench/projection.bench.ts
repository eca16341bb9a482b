import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { HealthEvent } from '#contracts/health.ts'
import type { Message, Recorded } from '#contracts/message.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { startProjector } from '#libs/projector.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { systemClock } from '#libs/systemClock.ts'
import { tableOf } from '#libs/view.ts'
import { machinePage } from '#services/query/fleet.ts'
import { Reader } from '#services/query/reader.ts'
import type { Query } from '#services/query/service.ts'
import { machinesView, type MachineFact } from '#services/query/views/machines.ts'
import { healthy, registered, unavailable } from '#test/services/query/facts.ts'
import { compare, perSecond, scaled } from './harness.ts'

// P4 with the very view of the query service, and P7 for its list of machines. `projector.bench.ts` measures the
// projector with a smaller view.

const batch = 10_000
const fleets = [1_000, 10_000, 100_000].map((size) => scaled(size, size / 10)) as [number, number, number]
const judgements = scaled(100_000, 20_000)
const pageRows = 100
const pages = scaled(2_000, 50)
const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
const view = machinesView(() => undefined)
let files = 0

const idOf = (number: number) => `m-${number.toString(16).padStart(20, '0')}`
const scatter = (number: number, range: number) => ((number * 2_654_435_761) % 4_294_967_296) % range

function recorded<Fact extends Message>(fact: Fact, position: number): Recorded<Fact> {
  const about = { actor: 'bench', commandId: `${position}`, correlationId: `${position}`, causationId: null }
  const meta = { id: `${position}`, stream: 'x-y', version: 1, position, at: 1.7e12 + position, ...about }
  return { ...fact, meta }
}

/** Everyone registers; then machines all over the fleet go and come. */
function eventsOf(fleet: number): Recorded<MachineFact>[] {
  const registrations = Array.from({ length: fleet }, (_, number) =>
    registered(idOf(number), { name: `web-${number}`, environmentId: `env-${number % 9}`, roles: ['web', 'cache'] }),
  )
  const verdicts = Array.from({ length: judgements }, (_, number): HealthEvent => {
    const id = idOf(scatter(number, fleet))
    return scatter(number, 4_001) % 4 === 0 ? unavailable(id) : healthy(id)
  })
  return [...registrations, ...verdicts].map((fact, index) => recorded(fact, index + 1) as Recorded<MachineFact>)
}

const openDatabase = () => new DatabaseSync(join(folder, `${(files += 1)}.db`))

/** The projector as it runs, over a store that costs nothing to read. Only what follows the registrations is timed. */
async function viewRate(events: readonly Recorded<MachineFact>[], fleet: number, rows: number): Promise<number> {
  const database = openDatabase()
  const disk = createMemoryDisk()
  for (const event of events.slice(0, fleet)) disk.events.push(event)
  await using store = openMemoryStore({ clock: systemClock, disk })
  await using bus = createMemoryBus({ clock: systemClock, log: silentLog })
  const options = {
    database,
    views: [view],
    store,
    bus,
    clock: systemClock,
    log: silentLog,
    idleMs: 1,
    batchMax: batch,
  }
  const projector = await startProjector(options)
  await projector.reached(fleet, 120_000)
  const rate = await perSecond(rows, async () => {
    for (const event of events.slice(fleet)) disk.events.push(event)
    if (!(await projector.reached(events.length, 120_000))) throw new Error('the projector is stuck')
  })
  await projector[Symbol.asyncDispose]()
  database.close()
  return rate
}

type Upsert = readonly [key: string, row: object, position: number, ...columns: SQLInputValue[]]

/** The rows that each batch leaves changed, with what their columns hold. */
function batchesOf(events: readonly Recorded<MachineFact>[], fleet: number): Upsert[][] {
  const rows = new Map<string, object>()
  const batches: Upsert[][] = []
  for (let from = 0; from < events.length; from += from < fleet ? Math.min(batch, fleet - from) : batch) {
    const until = from < fleet ? Math.min(from + batch, fleet) : from + batch
    const changed = new Map<string, Upsert>()
    for (const event of events.slice(from, until)) {
      const [key] = view.keysOf(event) as [string]
      const row = view.project(rows.get(key) as never, event, key)!
      rows.set(key, row)
      changed.set(key, [key, row, event.meta.position, ...Object.values(view.columns!).map((column) => column(row))])
    }
    batches.push([...changed.values()])
  }
  return batches
}

/** The same rows in the same batches into a table with the same columns and indexes, and nothing else. */
async function upsertRate(batches: readonly (readonly Upsert[])[], fleet: number): Promise<number> {
  const database = openDatabase()
  const columns = ['key', 'doc', 'position', ...Object.keys(view.columns!)]
  const indexes = view.indexes!.map((index, n) => `CREATE INDEX by_${n} ON machines (${index.join()});`).join('')
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 16000;
    CREATE TABLE machines (key TEXT PRIMARY KEY, ${columns.slice(1).join()}); ${indexes}`)
  const sets = columns.slice(1).map((column) => `${column} = excluded.${column}`)
  const upsert = database.prepare(`INSERT INTO machines (${columns.join()}) VALUES (${columns.map(() => '?').join()})
    ON CONFLICT (key) DO UPDATE SET ${sets.join()}`)
  const write = (rows: readonly Upsert[]) => {
    database.exec('BEGIN')
    for (const [key, row, ...rest] of rows) upsert.run(key, JSON.stringify(row), ...rest)
    database.exec('COMMIT')
  }
  const before = Math.ceil(fleet / batch)
  batches.slice(0, before).forEach(write)
  const judged = batches.slice(before)
  const rate = await perSecond(rowsIn(judged), () => judged.forEach(write))
  database.close()
  return rate
}

const rowsIn = (batches: readonly (readonly Upsert[])[]) => batches.reduce((sum, { length }) => sum + length, 0)

const [small, middle, large] = fleets.map((fleet) => {
  const events = eventsOf(fleet)
  const batches = batchesOf(events, fleet)
  const rows = rowsIn(batches.slice(Math.ceil(fleet / batch)))
  return { view: () => viewRate(events, fleet, rows), upserts: () => upsertRate(batches, fleet) }
}) as [Rates, Rates, Rates]
interface Rates {
  readonly view: () => Promise<number>
  readonly upserts: () => Promise<number>
}

await compare({
  title: `P4 machines view of the query service, batches of ${batch.toLocaleString('en')} events`,
  unit: 'rows/s',
  candidates: {
    'view, 1k': small.view,
    'upserts, 1k': small.upserts,
    'view, 10k': middle.view,
    'upserts, 10k': middle.upserts,
    'view, 100k': large.view,
    'upserts, 100k': large.upserts,
  },
  targets: [
    { of: 'view, 100k', against: 'upserts, 100k', atLeast: 0.8 },
    { of: 'view, 1k', against: 'view, 100k', atMost: 3 },
  ],
})
await listing()
rmSync(folder, { recursive: true })

/** A page of machines as stored documents, against the usual way by objects; from a small and a large fleet. */
async function listing(): Promise<void> {
  const [few, many] = [await filled(fleets[0]), await filled(fleets[2])]
  const usual = few.database.prepare(`SELECT doc FROM ${tableOf(view)} WHERE registered = 1 ORDER BY key LIMIT ?`)
  const page = (query: Query) => {
    const { docs, next } = machinePage(query, { limit: pageRows })
    return `{"items":[${docs.join(',')}],"next":${JSON.stringify(next)}}`
  }
  const repeat = (work: () => unknown) => perSecond(pages, () => Array.from({ length: pages }, work).length)
  await compare({
    title: `P7, P8 a page of ${pageRows} machines`,
    unit: 'pages/s',
    candidates: {
      'stored documents, 1k': () => repeat(() => page(few.query)),
      'stored documents, 100k': () => repeat(() => page(many.query)),
      'rows, objects, stringify, 1k': () =>
        repeat(() => JSON.stringify(usual.all(pageRows).map(({ doc }) => JSON.parse(String(doc)) as unknown))),
    },
    targets: [
      { of: 'stored documents, 1k', against: 'rows, objects, stringify, 1k', atLeast: 3 },
      { of: 'stored documents, 1k', against: 'stored documents, 100k', atMost: 1.3 },
    ],
  })
  few.database.close()
  many.database.close()
}

async function filled(fleet: number) {
  const database = openDatabase()
  const disk = createMemoryDisk()
  for (const event of eventsOf(fleet).slice(0, fleet)) disk.events.push(event)
  await using store = openMemoryStore({ clock: systemClock, disk })
  await using bus = createMemoryBus({ clock: systemClock, log: silentLog })
  await using projector = await startProjector({
    ...{ database, views: [view], store, bus, clock: systemClock, log: silentLog },
  })
  await projector.reached(fleet, 120_000)
  return { database, query: { reader: new Reader(database), machines: view } as unknown as Query }
}
