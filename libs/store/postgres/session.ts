import type { ClientBase } from 'pg'
import { StoreFault } from '../store.ts'
import { serverError } from './faults.ts'

const versionMin = 14
const statementMs = 15_000
const lockMs = 10_000
const idleInTransactionMs = 15_000

/** A row as text, in the order of its columns. */
export type Row = readonly (string | null)[]

/** The server's process behind a connection. Its number may be given again, with another start. */
export interface Backend {
  readonly pid: string
  readonly startedAt: string
}

/**
 * How every connection is set. Appends rely on READ COMMITTED: each statement of a transaction that has waited for a
 * lock must see what the one before it has committed. Every query here has an index to go by, also in the first minute
 * of a table's life, when its statistics say that it is empty.
 */
const settings = (schema: string) => `
  SET search_path TO "${schema}";
  SET default_transaction_isolation TO 'read committed';
  SET statement_timeout TO ${statementMs};
  SET lock_timeout TO ${lockMs};
  SET idle_in_transaction_session_timeout TO ${idleInTransactionMs};
  SET client_min_messages TO warning;
  SET enable_seqscan TO off;
  SET jit TO off;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
`

/** Sets a fresh connection and throws when it is not fit to be written to. */
export async function prepareSession(client: ClientBase, schema: string): Promise<Backend> {
  await client.query(settings(schema))
  await checkSession(client)
  const [[pid, startedAt] = []] = await rowsOf(
    client,
    'SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()',
  )
  return { pid: pid ?? '', startedAt: startedAt ?? '' }
}

/** A pooler or a wrapper may keep settings from reaching the server, so they are read back and not believed. */
export async function checkSession(client: ClientBase): Promise<void> {
  const [row = []] = await rowsOf(
    client,
    `SELECT current_setting('server_version_num'), current_setting('server_encoding'), pg_is_in_recovery(),
            current_setting('transaction_read_only'), current_setting('fsync'), current_setting('synchronous_commit')`,
  )
  const [version, encoding, inRecovery, readOnly, fsync, synchronousCommit] = row
  if (Number(version) < versionMin * 10_000)
    throw new StoreFault(`PostgreSQL ${versionMin} or newer is needed; this one says ${version}. Update the server.`)
  if (encoding !== 'UTF8')
    throw new StoreFault(`The database is encoded in ${encoding}. Create one with createdb --encoding=UTF8.`)
  if (inRecovery === 't' || readOnly === 'on') throw serverError('25006', 'the server does not take writes')
  if (fsync !== 'on')
    throw new StoreFault('PostgreSQL would not write durably (fsync is off). Set fsync = on in postgresql.conf.')
  if (synchronousCommit !== 'on' && synchronousCommit !== 'remote_apply')
    throw new StoreFault(
      `PostgreSQL would not write durably (synchronous_commit is ${synchronousCommit}, not on). Nothing was opened.`,
    )
}

/** Asks and answers rows. A name makes the server keep the parsed statement for the next time. */
export async function rowsOf(
  client: Pick<ClientBase, 'query'>,
  text: string,
  values: readonly unknown[] = [],
  name?: string,
): Promise<readonly Row[]> {
  const { rows } = await client.query<string[]>({ text, values: [...values], rowMode: 'array', ...(name && { name }) })
  return rows
}
