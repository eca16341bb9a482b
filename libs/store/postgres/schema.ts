import type { ClientBase } from 'pg'
import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import { format1 } from './format1.ts'
import { format2 } from './format2.ts'
import { lookIn, moveIn, type Home } from './home.ts'
import { rowsOf } from './session.ts'

/**
 * Each entry brings the format before it up to its own and is never changed again. While processes of the version
 * before still run, they must be able to go on: so a later one adds, and gives a changed function a new name.
 */
const formats: readonly string[] = [format1, format2]

/**
 * Creates the tables or brings them up to date, once, however many processes start at the same time, and finds out
 * which epoch this is. Throws `StoreFault` when a newer Remuda has been here, or nobody and nothing is to be made.
 */
export async function prepareSchema(
  client: ClientBase,
  schema: string,
  clock: Clock,
  lookOnly: boolean,
): Promise<Home> {
  await client.query('BEGIN')
  try {
    await rowsOf(client, `SELECT pg_advisory_xact_lock(hashtextextended('remuda ' || $1, 0))`, [schema])
    const format = await formatOf(client, schema)
    if (format > formats.length)
      throw new StoreFault(
        `The database has format ${format}; this Remuda knows ${formats.length} at most. Start the newer Remuda again, ` +
          'or restore a backup from before the update.',
      )
    if (format === 0 && lookOnly)
      throw new StoreFault(`There is no event store in the schema ${schema} of this database. Check the URL.`)
    await update(client, schema, format)
    const home = await (lookOnly ? lookIn(client) : moveIn(client, clock))
    await client.query('COMMIT')
    return home
  } catch (error) {
    // When the connection is gone there is nothing left to roll back, and what went wrong first is what matters.
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function formatOf(client: ClientBase, schema: string): Promise<number> {
  const [[table] = []] = await rowsOf(client, 'SELECT to_regclass($1)', [`${schema}.formats`])
  if (table === null) return 0
  const [[format] = []] = await rowsOf(client, 'SELECT coalesce(max(number), 0) FROM formats')
  return Number(format)
}

async function update(client: ClientBase, schema: string, format: number): Promise<void> {
  if (format === 0)
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS "${schema}";
      CREATE TABLE formats (number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
    `)
  for (const [index, sql] of formats.entries()) {
    if (index < format) continue
    await client.query(sql)
    await rowsOf(client, 'INSERT INTO formats (number) VALUES ($1)', [index + 1])
  }
}
