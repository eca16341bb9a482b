import type { ClientBase } from 'pg'
import type { Clock } from '#libs/clock.ts'
import { nextEpoch } from '../epoch.ts'
import { rowsOf } from './session.ts'

/** The database that holds the events, as opposed to a copy of it, and the epoch that is written in it. */
export interface Home {
  readonly identity: string
  readonly epoch: number
}

/**
 * The identity changes when a dump is restored (into another database, or another table) and when a standby takes over
 * (then the server is on a new timeline, and may lack what was acknowledged last). It survives a restart and a crash.
 * A copy of the server's files that is started as it is can not be told from the original.
 */
const ask = `
  SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                   substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
                   (SELECT oid FROM pg_database WHERE datname = current_database()), 'events'::regclass::oid),
         (SELECT value FROM settings WHERE name = 'identity'),
         (SELECT value FROM settings WHERE name = 'epoch')`

const keep = `INSERT INTO settings (name, value) VALUES ('identity', $1), ('epoch', $2)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`

/** Where the store lives and the epoch it is in: a new one when this is a copy that was not opened before. */
export async function moveIn(client: ClientBase, clock: Clock): Promise<Home> {
  const [[identity, known, epochText] = []] = await rowsOf(client, ask)
  const before = Number(epochText ?? 0)
  if (known === identity) return { identity: String(identity), epoch: before }
  const epoch = known === null ? 1 : nextEpoch(before, clock)
  await rowsOf(client, keep, [identity, epoch])
  return { identity: String(identity), epoch }
}

/** The same, for who only looks: a copy is in the epoch that it was copied from. */
export async function lookIn(client: ClientBase): Promise<Home> {
  const [[identity, , epoch] = []] = await rowsOf(client, ask)
  return { identity: String(identity), epoch: Number(epoch ?? 0) }
}

/** Whether the events are still those of the store that was opened. */
export async function isHome(client: ClientBase, home: Home): Promise<boolean> {
  const [[identity, , epoch] = []] = await rowsOf(client, ask)
  return identity === home.identity && Number(epoch) === home.epoch
}
