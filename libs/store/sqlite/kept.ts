import type { DatabaseSync } from 'node:sqlite'
import { checkFence } from '../fence.ts'
import { checkCheckpoint, checkEpoch, checkParked, snapshotText } from '../keptLimits.ts'
import type { Checkpoint, EventStore, Parked, StoreFault } from '../store.ts'
import { Fences } from './fences.ts'
import { succeedEpoch } from './schema.ts'
import type { Work } from './writer.ts'

/**
 * Snapshots, checkpoints, parked events and fences: kept beside the events, and committed together with them.
 * @param db throws when the store is closed
 */
export function keptBeside(db: () => DatabaseSync, enqueue: (work: Work) => void) {
  const prepared = prepare(db())
  const fences = new Fences(db())
  const open = () => {
    db()
    return prepared
  }
  /** Resolves when what `write` does is durable. */
  const written = (write: () => void, chars = 0) =>
    new Promise<void>((done, fail: (fault: StoreFault) => void) => {
      db()
      enqueue({ chars, write, done, fail })
    })

  return {
    async saveSnapshot(stream, snapshot) {
      const text = snapshotText(stream, snapshot)
      await written(() => prepared.saveSnapshot.run(stream, snapshot.schema, snapshot.version, text), text.length)
    },
    async loadSnapshot(stream, schema) {
      const row = open().loadSnapshot.get(stream, schema)
      return row
        ? { schema, version: Number(row['version']), state: JSON.parse(String(row['state'])) as unknown }
        : null
    },
    async saveCheckpoint(name, position) {
      checkCheckpoint(name, position)
      await written(() => prepared.saveCheckpoint.run(name, position))
    },
    async loadCheckpoint(name) {
      return Number(open().loadCheckpoint.get(name)?.['position'] ?? 0)
    },
    async listCheckpoints() {
      return open().listCheckpoints.all() as unknown as Checkpoint[]
    },
    async succeed(epoch) {
      checkEpoch(epoch)
      await written(() => succeedEpoch(db(), epoch))
    },
    async raiseFence(name) {
      checkFence(name)
      let token = 0
      await written(() => (token = fences.raise(name)))
      return token
    },
    async fence(name) {
      db()
      checkFence(name)
      return fences.of(name)
    },
    async park(parked) {
      checkParked(parked)
      const { reactor, position, stream, type, reason, attempts, parkedAt } = parked
      await written(() => prepared.park.run(reactor, position, stream, type, reason, attempts, parkedAt))
    },
    async unpark(reactor, position) {
      await written(() => prepared.unpark.run(reactor, position))
    },
    async listParked() {
      return open().listParked.all() as unknown as Parked[]
    },
  } satisfies Partial<EventStore>
}

const prepare = (db: DatabaseSync) => ({
  saveSnapshot: db.prepare(`INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET version = excluded.version, state = excluded.state WHERE excluded.version >= version`),
  loadSnapshot: db.prepare('SELECT version, state FROM snapshots WHERE stream = ? AND schema = ?'),
  saveCheckpoint: db.prepare(`INSERT INTO checkpoints VALUES (?, ?) ON CONFLICT DO UPDATE
    SET position = excluded.position WHERE excluded.position > position`),
  loadCheckpoint: db.prepare('SELECT position FROM checkpoints WHERE name = ?'),
  listCheckpoints: db.prepare('SELECT name, position FROM checkpoints'),
  park: db.prepare('INSERT OR REPLACE INTO parked VALUES (?, ?, ?, ?, ?, ?, ?)'),
  unpark: db.prepare('DELETE FROM parked WHERE reactor = ? AND position = ?'),
  listParked: db.prepare(`SELECT reactor, position, stream, type, reason, attempts, parked_at AS parkedAt
    FROM parked ORDER BY position, reactor`),
})
