import { checkFence } from '../fence.ts'
import { checkCheckpoint, checkEpoch, checkParked, snapshotText } from '../keptLimits.ts'
import type { EventStore, Parked } from '../store.ts'
import type { Reader } from './reader.ts'

/** For what may be lost when the server crashes: the statement's commit is not waited for until it is on disk. */
const unhurried = `WITH unhurried AS (SELECT set_config('synchronous_commit', 'off', true))`

const sql = {
  saveSnapshot: `${unhurried}
    INSERT INTO snapshots AS old SELECT $1, $2, $3::bigint, $4 FROM unhurried
    ON CONFLICT (stream, schema) DO UPDATE SET version = excluded.version, state = excluded.state
    WHERE old.version <= excluded.version`,
  loadSnapshot: 'SELECT version, state FROM snapshots WHERE stream = $1 AND schema = $2',
  saveCheckpoint: `${unhurried}
    INSERT INTO checkpoints AS old SELECT $1, $2::bigint FROM unhurried
    ON CONFLICT (name) DO UPDATE SET position = excluded.position WHERE old.position < excluded.position`,
  loadCheckpoint: 'SELECT position FROM checkpoints WHERE name = $1',
  listCheckpoints: 'SELECT name, position FROM checkpoints',
  // No database has the identity that is left, so whoever opens this one moves into a new epoch.
  succeed: `UPDATE settings SET value =
      CASE name WHEN 'epoch' THEN greatest(value::bigint, $1::bigint)::text ELSE 'to be succeeded' END
    WHERE name IN ('epoch', 'identity')`,
  raiseFence: 'SELECT token FROM raise_fence($1)',
  fence: 'SELECT raised FROM fences WHERE name = $1',
  park: `INSERT INTO parked VALUES ($1, $2, $3)
    ON CONFLICT (reactor, position) DO UPDATE SET details = excluded.details`,
  unpark: 'DELETE FROM parked WHERE reactor = $1 AND position = $2',
  listParked: 'SELECT details FROM parked ORDER BY position',
}

/**
 * What is kept beside the events. All of it may be asked for again: saving twice is saving once, and a fence that is
 * raised twice keeps off whoever held it, too. (Should the first try come last after all, it keeps off who asked as
 * well, and they have to raise it anew.)
 */
export const keptBeside = (reader: () => Reader) => {
  const ask = (name: keyof typeof sql, doing: string, ...values: unknown[]) =>
    reader().ask({ text: sql[name], values, name, doing })
  return {
    async saveSnapshot(stream, snapshot) {
      const state = snapshotText(stream, snapshot)
      await ask('saveSnapshot', `keeping a snapshot of ${stream}`, stream, snapshot.schema, snapshot.version, state)
    },
    async loadSnapshot(stream, schema) {
      const [row] = await ask('loadSnapshot', `reading the snapshot of ${stream}`, stream, schema)
      return row ? { schema, version: Number(row[0]), state: JSON.parse(String(row[1])) as unknown } : null
    },
    async saveCheckpoint(name, position) {
      checkCheckpoint(name, position)
      await ask('saveCheckpoint', `keeping checkpoint ${name}`, name, position)
    },
    async loadCheckpoint(name) {
      const [row] = await ask('loadCheckpoint', `reading checkpoint ${name}`, name)
      return Number(row?.[0] ?? 0)
    },
    async listCheckpoints() {
      const rows = await ask('listCheckpoints', 'reading checkpoints')
      return rows.map(([name, position]) => ({ name: String(name), position: Number(position) }))
    },
    async succeed(epoch) {
      checkEpoch(epoch)
      await ask('succeed', 'ending the epoch', epoch)
    },
    async raiseFence(name) {
      checkFence(name)
      const [row] = await ask('raiseFence', `raising fence ${name}`, name)
      return Number(row?.[0])
    },
    async fence(name) {
      checkFence(name)
      const [row] = await ask('fence', `reading fence ${name}`, name)
      return Number(row?.[0] ?? 0)
    },
    async park(parked) {
      checkParked(parked)
      // As JSON, since a reason may hold characters that a text of PostgreSQL can not.
      await ask('park', `parking for ${parked.reactor}`, parked.reactor, parked.position, JSON.stringify(parked))
    },
    async unpark(reactor, position) {
      await ask('unpark', `unparking for ${reactor}`, reactor, position)
    },
    async listParked() {
      const rows = await ask('listParked', 'reading what is parked')
      const parked = rows.map(([details]) => JSON.parse(String(details)) as Parked)
      return parked.sort((a, b) => a.position - b.position || (a.reactor < b.reactor ? -1 : 1))
    },
  } satisfies Partial<EventStore>
}
