import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql'
import { Pool } from 'pg'
import type { Cause, Message } from '#contracts/message.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock } from '#libs/systemClock.ts'
import { PostgresServer } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { compare, median, scaled } from './harness.ts'

// The same events, each to a new stream of its own, into the same server, which waits for its disk. Emmett may have as
// many connections as callers, and counts with the number of callers that suits it best.

const roundMs = scaled(2_000, 200)
const ours = 64
const theirs = [1, 16, 64]

const data = { machineId: 'machine-000001', roles: ['web', 'db'], address: '10.1.2.3:4780', note: 'x'.repeat(300) }
const fact: Message = { type: 'MachineRegistered', data }
const cause: Cause = { actor: 'machine', commandId: 'command-1', correlationId: 'flow-1', causationId: null }
const expected = { expectedStreamVersion: 'STREAM_DOES_NOT_EXIST' } as const
let number = 0

console.log(
  'SKIPPED: Emmett on SQLite, whose driver sqlite3 has to be compiled or fetched by a script at installation.',
)
if (postgresPrograms === null) console.log('SKIPPED: Emmett on PostgreSQL, since there is no PostgreSQL here.')
else {
  await using server = await PostgresServer.create()
  await againstEmmett(server)
}

async function againstEmmett(server: PostgresServer): Promise<void> {
  await using store = await openPostgresStore({ url: server.url({ schema: 'bench' }), clock: systemClock })
  await using stack = new AsyncDisposableStack()
  const pool = stack.adopt(new Pool({ connectionString: server.url(), max: Math.max(...theirs) }), (it) => it.end())
  const emmett = stack.adopt(getPostgreSQLEventStore(server.url(), { connectionOptions: { pool } }), (it) => it.close())
  await emmett.schema.migrate()

  const reached = new Map(theirs.map((callers) => [callers, [] as number[]]))
  const append = () =>
    emmett.appendToStream(`machine-${number++}`, [{ type: fact.type, data, metadata: cause }], expected)
  const atItsBest = async () => {
    for (const [callers, figures] of reached) figures.push(await eventsPerSecond(callers, append))
    return Math.max(...[...reached.values()].map((figures) => figures.at(-1)!))
  }
  await compare({
    title: `P2 durable append to PostgreSQL, ${ours} callers`,
    unit: 'events/s',
    candidates: {
      store: () => eventsPerSecond(ours, () => store.append(`machine-${number++}`, 0, [fact], cause)),
      'Emmett at its best': atItsBest,
    },
    targets: [{ of: 'store', against: 'Emmett at its best', atLeast: 8 }],
  })
  const rates = [...reached].map(([callers, figures]) => `${callers}: ${median(figures).toFixed(0)}/s`)
  console.log(`  Emmett by its number of callers  ${rates.join('   ')}`)
  await expectAllStored(server)
}

async function eventsPerSecond(callers: number, append: () => Promise<unknown>): Promise<number> {
  const [before, startedMs] = [number, performance.now()]
  const caller = async () => {
    while (performance.now() < startedMs + roundMs) await append()
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return ((number - before) / (performance.now() - startedMs)) * 1_000
}

/** Whoever is quicker by leaving something out is not quicker. */
async function expectAllStored(server: PostgresServer): Promise<void> {
  const sql = 'SELECT (SELECT count(*) FROM emt_messages) + (SELECT count(*) FROM bench.events) AS stored'
  const stored = Number((await server.run(sql))[0]?.['stored'])
  if (stored !== number) throw new Error(`${stored} of ${number} events are stored`)
}
