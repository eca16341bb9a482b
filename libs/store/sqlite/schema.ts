import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#libs/clock.ts'
import { nextEpoch } from '../epoch.ts'
import { StoreFault } from '../store.ts'
import { firstSeal } from './seal.ts'

/** Marks the file as ours: 'Rmda' as four bytes. */
const applicationId = 0x526d6461
const schemaVersion = 1

/**
 * `prev` chains the events of a stream from the last to the first. A unique index on (stream, version) would do the
 * same at seven times the cost of an append; there is one writer (see lock.ts), and `verify` checks what an index would.
 * `streams.version` and `streams.position` lag behind: they are right as of the `headsPosition` of `settings`.
 */
const tables = `
  CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, version INTEGER NOT NULL, prev INTEGER NOT NULL,
    type INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT NOT NULL, seal BLOB
  ) STRICT;
  CREATE TABLE streams (
    no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, position INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE types (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE snapshots (
    stream TEXT NOT NULL, schema TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (stream, schema)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE checkpoints (name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE parked (
    reactor TEXT NOT NULL, position INTEGER NOT NULL, stream TEXT NOT NULL, type TEXT NOT NULL, reason TEXT NOT NULL,
    attempts INTEGER NOT NULL, parked_at INTEGER NOT NULL, PRIMARY KEY (reactor, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO settings VALUES ('epoch', 1), ('isBackup', 0), ('headsPosition', 0);
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`

/** Came later. A Remuda that does not know it can go on with the file, so it makes no new version. */
const addedTables = `
  CREATE TABLE IF NOT EXISTS fences (name TEXT PRIMARY KEY, raised INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

export type Setting = 'epoch' | 'isBackup' | 'headsPosition'

/** Creates the tables in an empty file; refuses a file that is not ours, or of a version we do not know. */
export function prepareSchema(db: DatabaseSync): void {
  if (value(db, 'PRAGMA application_id') === applicationId) checkSchema(db)
  else if (value(db, 'SELECT count(*) FROM sqlite_schema') === 0) db.exec(`BEGIN IMMEDIATE; ${tables} COMMIT`)
  else throw new StoreFault('This SQLite file belongs to another program. Choose another file for the event store.')
  db.exec(addedTables)
}

/** Throws `StoreFault` unless the file is an event store that this version can read. */
export function checkSchema(db: DatabaseSync): void {
  const version = value(db, 'PRAGMA user_version')
  if (value(db, 'PRAGMA application_id') !== applicationId)
    throw new StoreFault('This file is no event store of Remuda.')
  if (version !== schemaVersion)
    throw new StoreFault(
      `This event store has format ${version}; this Remuda reads ${schemaVersion}. Use a newer Remuda.`,
    )
}

/** The epoch of this store; a copy that is opened for the first time starts a new one. */
export function startEpoch(db: DatabaseSync, clock: Clock): number {
  const epoch = readSetting(db, 'epoch')
  if (readSetting(db, 'isBackup') === 0) return epoch
  const next = nextEpoch(epoch, clock)
  db.exec(`BEGIN IMMEDIATE; UPDATE settings SET value = ${next} WHERE name = 'epoch';
    UPDATE settings SET value = 0 WHERE name = 'isBackup'; COMMIT`)
  return next
}

/** Lets a new epoch start, above this one and that, when the file is opened next. */
export const succeedEpoch = (db: DatabaseSync, epoch: number): void =>
  db.exec(`UPDATE settings SET value = max(value, ${epoch}) WHERE name = 'epoch';
    UPDATE settings SET value = 1 WHERE name = 'isBackup'`)

export const readSetting = (db: DatabaseSync, name: Setting): number =>
  value(db, `SELECT value FROM settings WHERE name = '${name}'`)

/** Makes a fresh copy one file, and lets it start a new epoch when it is opened as a store. */
export function markAsBackup(path: string): void {
  using db = new DatabaseSync(path)
  db.exec(
    `PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; UPDATE settings SET value = 1 WHERE name = 'isBackup'`,
  )
}

const value = (db: DatabaseSync, sql: string): number => Number(Object.values(db.prepare(sql).get() ?? {})[0])

/** The last position, and the seal that it carries. */
export function lastSealed(db: DatabaseSync): { position: number; seal: Uint8Array } {
  const row = db.prepare('SELECT position, seal FROM events ORDER BY position DESC LIMIT 1').get()
  if (row === undefined) return { position: 0, seal: firstSeal }
  if (!(row['seal'] instanceof Uint8Array))
    throw new StoreFault('The last event has no seal: the store is damaged. Restore a backup.')
  return { position: Number(row['position']), seal: row['seal'] }
}
