import { DatabaseSync } from 'node:sqlite'
import { ensurePrivateFile } from '#libs/privateFile.ts'
import { StoreFault } from '../store.ts'
import { asFault } from './faults.ts'

/** Older versions can corrupt a database in WAL mode when two connections checkpoint at the same instant. */
const sqliteVersionMin = [3, 51, 3] as const
const busyMs = 5_000
const autocheckpointPages = 1_000
const synchronousFull = 2

/** Opens a connection that is durable and defensive, or throws `StoreFault`. `bytesMax` caps the size of the file. */
export function connect(path: string, { readOnly = false, bytesMax }: { readOnly?: boolean; bytesMax?: number } = {}) {
  try {
    if (!readOnly) ensurePrivateFile(path)
    const db = new DatabaseSync(path, { readOnly, timeout: busyMs, enableForeignKeyConstraints: true })
    try {
      prepare(db, readOnly, bytesMax)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw asFault(error, `opening ${path}`)
  }
}

function prepare(db: DatabaseSync, readOnly: boolean, bytesMax: number | undefined): void {
  checkSqliteVersion(String(valueOf(db, 'SELECT sqlite_version() AS value')))
  db.enableDefensive(true)
  db.exec('PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON')
  if (readOnly) return
  const mode = valueOf(db, 'PRAGMA journal_mode = WAL')
  if (mode !== 'wal')
    throw new StoreFault(`SQLite can not use a write-ahead log here (it answers ${mode}). Use a local disk.`)
  db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${autocheckpointPages}`)
  checkDurable(db)
  if (bytesMax !== undefined) {
    const pageBytes = Number(valueOf(db, 'PRAGMA page_size'))
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytesMax / pageBytes))}`)
  }
}

/** Some builds of SQLite fall back to a weaker setting in WAL mode, so it is read back and not believed. */
export function checkDurable(db: DatabaseSync): void {
  const synchronous = valueOf(db, 'PRAGMA synchronous')
  if (synchronous !== synchronousFull)
    throw new StoreFault(
      `SQLite would not write durably (synchronous is ${synchronous}, not FULL). Nothing was opened.`,
    )
}

/** Throws `StoreFault` when this SQLite has the bug that `sqliteVersionMin` is free of. */
export function checkSqliteVersion(version: string): void {
  const parts = version.split('.').map(Number)
  const difference = sqliteVersionMin.map((least, index) => (parts[index] ?? 0) - least).find((part) => part !== 0) ?? 0
  if (difference < 0)
    throw new StoreFault(
      `SQLite ${version} can corrupt its file; ${sqliteVersionMin.join('.')} can not. Use a newer Node.`,
    )
}

/** The single value that a statement answers. */
const valueOf = (db: DatabaseSync, sql: string): unknown => Object.values(db.prepare(sql).get() ?? {})[0]
