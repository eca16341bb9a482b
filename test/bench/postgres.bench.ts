import { Pool } from 'pg'
import type { Cause, Message } from '#contracts/message.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock } from '#libs/systemClock.ts'
import { PostgresServer } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { compare, scaled } from './harness.ts'

// Appends of one event to a stream of its own, against the plain insert that most would write: a row for a row, over a
// pool. The server is a real one that waits for its disk; it shares the processor with the callers.

const roundMs = scaled(2_000, 200)
const connectionsMax = 16

if (postgresPrograms === null) {
  console.log('SKIPPED: there is no PostgreSQL here.')
  process.exit(0)
}
await using server = await PostgresServer.create()
await using store = await openPostgresStore({ url: server.url({ schema: 'bench' }), clock: systemClock })
const pool = new Pool({ connectionString: server.url(), max: connectionsMax })
await pool.query(`CREATE TABLE plain (position bigserial PRIMARY KEY, stream text, version bigint, type text, data json,
  meta json, UNIQUE (stream, version))`)
const insert = 'INSERT INTO plain (stream, version, type, data, meta) VALUES ($1, 1, $2, $3, $4)'

const data = { machineId: 'machine-000001', roles: ['web', 'db'], address: '10.1.2.3:4780', note: 'x'.repeat(300) }
const fact: Message = { type: 'MachineRegistered', data }
const cause: Cause = { actor: 'machine', commandId: 'command-1', correlationId: 'flow-1', causationId: null }
let number = 0

const ways = {
  store: () => store.append(`machine-${number++}`, 0, [fact], cause),
  'plain insert': () => {
    const values = [`machine-${number++}`, fact.type, JSON.stringify(data), JSON.stringify(cause)]
    return pool.query({ name: 'insert', text: insert, values })
  },
}

async function eventsPerSecond(callers: number, append: () => Promise<unknown>): Promise<number> {
  const [before, startedMs] = [number, performance.now()]
  const caller = async () => {
    while (performance.now() < startedMs + roundMs) await append()
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return ((number - before) / (performance.now() - startedMs)) * 1_000
}

for (const [callers, atLeast] of [
  [1, 0.4],
  [64, 1.2],
  [256, 2],
] as const)
  await compare({
    title: `P2 durable append to PostgreSQL, ${callers} ${callers === 1 ? 'caller' : 'callers'}`,
    unit: 'events/s',
    candidates: {
      store: () => eventsPerSecond(callers, ways.store),
      'plain insert': () => eventsPerSecond(callers, ways['plain insert']),
    },
    targets: [{ of: 'store', against: 'plain insert', atLeast }],
  })
await pool.end()
