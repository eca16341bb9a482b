import type { Pool, PoolClient } from 'pg'
import type { Recorded } from '#contracts/message.ts'
import { areNext } from '../limits.ts'
import { sealAfter, sealText } from '../sqlite/seal.ts'
import { StoreFault } from '../store.ts'
import { metaText } from './append.ts'
import { asFault, sqlStateOf } from './faults.ts'
import { rowsOf } from './session.ts'

const sql = {
  /** The lock that appends take, so that positions are given in order. */
  end: `SELECT position, encode(seal, 'hex') FROM log_end FOR UPDATE`,
  versions: `SELECT s.name, (SELECT e.version FROM events e WHERE e.stream = s.name ORDER BY e.version DESC LIMIT 1)
    FROM unnest($1::text[]) AS s (name)`,
  insert: `INSERT INTO events (position, stream, version, at, type, data, meta)
    SELECT $1::bigint + f.number, f.stream, f.version, f.at, f.type, f.data::json, f.meta::json
      FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
        WITH ORDINALITY AS f (stream, version, at, type, data, meta, number)`,
  seal: `INSERT INTO seals SELECT s.position, decode(s.seal, 'hex') FROM unnest($1::bigint[], $2::text[]) AS s (position, seal)`,
  moveEnd: `UPDATE log_end SET position = $1, seal = decode($2, 'hex')`,
  tell: `SELECT pg_notify('remuda_' || current_schema(), $1)`,
} as const

/** Events as their rows hold them. */
interface Rows {
  readonly events: readonly Recorded[]
  readonly datas: readonly string[]
  readonly metas: readonly string[]
}

/** See `EventStore.adopt`. Nothing is tried again: who takes over events looks at what is here before going on. */
export async function adoptInto(
  pool: Pool,
  events: readonly Recorded[],
  datas: readonly string[],
): Promise<number | 'conflict'> {
  const rows = { events, datas, metas: events.map(({ meta }) => metaText(meta.id, meta)) }
  const client = await pool.connect().catch((error: unknown) => {
    throw asFault(error, 'connecting')
  })
  try {
    await client.query('BEGIN')
    const answer = await adoptRows(client, rows)
    await client.query('COMMIT')
    client.release()
    return answer
  } catch (error) {
    // The server rolls back what a connection that ends has left open.
    client.release(error as Error)
    throw faultOf(error)
  }
}

async function adoptRows(client: PoolClient, rows: Rows): Promise<number | 'conflict'> {
  const { events, datas, metas } = rows
  const ask = (name: keyof typeof sql, ...values: unknown[]) => rowsOf(client, sql[name], values, `adopt-${name}`)
  const [[positionText, sealHex] = []] = await ask('end')
  const before = Number(positionText)
  const streams = events.map(({ meta }) => meta.stream)
  const versions = new Map((await ask('versions', [...new Set(streams)])).map(([name, at]) => [name, Number(at ?? 0)]))
  if (!areNext(events, (stream) => versions.get(stream) ?? 0)) return 'conflict'

  const [places, ats] = [events.map(({ meta }) => meta.version), events.map(({ meta }) => meta.at)]
  const types = events.map(({ type }) => type)
  await ask('insert', before, streams, places, ats, types, datas, metas)
  const seals = sealsOf(rows, before, Buffer.from(String(sealHex), 'hex'))
  const after = before + events.length
  await ask(
    'seal',
    seals.map(({ position }) => position),
    seals.map(({ seal }) => seal),
  )
  await ask('moveEnd', after, seals.at(-1)?.seal)
  await ask('tell', String(after))
  return after
}

/** A seal covers events of one time, so each run of events with the same time gets its own. */
function sealsOf({ events, datas, metas }: Rows, before: number, lastSeal: Uint8Array) {
  const seals: { readonly position: number; readonly seal: string }[] = []
  let [seal, first, text] = [lastSeal, before + 1, '']
  for (const [index, { type, meta }] of events.entries()) {
    text += sealText(meta.stream, meta.version, type, datas[index] as string, metas[index] as string)
    if (events[index + 1]?.meta.at === meta.at) continue
    const position = before + index + 1
    seal = sealAfter(seal, first, meta.at, text)
    seals.push({ position, seal: Buffer.from(seal).toString('hex') })
    first = position + 1
    text = ''
  }
  return seals
}

function faultOf(error: unknown): StoreFault {
  if (sqlStateOf(error) !== undefined) return asFault(error, 'taking over events')
  return new StoreFault(
    'The connection to PostgreSQL was lost while taking over events, so it is not known whether these were stored. ' +
      'Look at what is there, and go on behind it.',
    { cause: error },
  )
}
