import type { DatabaseSync } from 'node:sqlite'
import type { Verification } from '../store.ts'
import { Findings } from '../verifyEvents.ts'
import { eventColumns, eventOf, type EventRow } from './rows.ts'
import { firstSeal, sealAfter, sealText } from './seal.ts'

const pageRows = 1_000

type SealedRow = readonly [...EventRow, seal: Uint8Array | null]

/** Where a stream is while the log is read from its beginning. */
interface Cursor {
  readonly name: string
  version: number
  position: number
}

/** Reads a whole database once and says what is wrong with it: what SQLite finds, and what only we can know. */
export function verifyDatabase(db: DatabaseSync): Verification {
  const findings = new Findings()
  try {
    for (const row of db.prepare('PRAGMA integrity_check(20)').all()) {
      const [message] = Object.values(row)
      if (message !== 'ok') findings.add(`SQLite: ${String(message)}`)
    }
    return new LogCheck(db, findings).run()
  } catch (error) {
    findings.add(`reading stopped: ${(error as Error).message}`)
    return { events: 0, streams: 0, problems: findings.problems }
  }
}

class LogCheck {
  readonly #db: DatabaseSync
  readonly #findings: Findings
  readonly #types: Map<number, string>
  readonly #cursors = new Map<number, Cursor>()
  readonly #streamName
  #position = 0
  #events = 0
  #seal: Uint8Array = firstSeal
  /** Of the commit that is being read: its first position, its time, and what its seal covers. */
  #commit: { first: number; at: number; text: string } | null = null

  constructor(db: DatabaseSync, findings: Findings) {
    this.#db = db
    this.#findings = findings
    this.#streamName = db.prepare('SELECT name FROM streams WHERE no = ?')
    const types = db.prepare('SELECT no, name FROM types').all()
    this.#types = new Map(types.map(({ no, name }) => [Number(no), String(name)]))
  }

  run(): Verification {
    const head = this.#number('SELECT coalesce(max(position), 0) FROM events')
    const page = this.#db.prepare(
      `SELECT ${eventColumns}, seal FROM events WHERE position > ? AND position <= ${head} ORDER BY position LIMIT ${pageRows}`,
    )
    page.setReturnArrays(true)
    for (let rows; (rows = page.all(this.#position) as unknown as SealedRow[]).length > 0;) {
      for (const row of rows) this.#check(row)
    }
    if (this.#commit !== null) this.#findings.add(`position ${head}: the end of the log has no seal`)
    this.#checkHeads()
    return { events: this.#events, streams: this.#cursors.size, problems: this.#findings.problems }
  }

  #check(row: SealedRow): void {
    const [position, no, version, prev, typeNo, at, data, meta, seal] = row
    if (position !== this.#position + 1)
      this.#findings.add(`position ${this.#position + 1}: missing, ${position} follows`)
    this.#position = position
    this.#events++

    const cursor = this.#cursor(no)
    const type = this.#types.get(typeNo)
    if (type === undefined) this.#findings.add(`position ${position}: type number ${typeNo} has no name`)
    if (version !== cursor.version + 1 || prev !== cursor.position)
      this.#findings.add(
        `position ${position}: ${cursor.name} was at version ${cursor.version} (position ${cursor.position}), ` +
          `and continues with version ${version} after position ${prev}`,
      )
    cursor.version = version
    cursor.position = position
    this.#checkReadable(row, cursor.name, type ?? '')
    this.#checkSeal(position, at, sealText(cursor.name, version, type ?? '', data, meta), seal)
  }

  #checkReadable(row: SealedRow, stream: string, type: string): void {
    try {
      eventOf(row.slice(0, 8) as unknown as EventRow, stream, type)
    } catch {
      this.#findings.add(`position ${row[0]}: the event of ${stream} can not be read`)
    }
  }

  #checkSeal(position: number, at: number, text: string, seal: Uint8Array | null): void {
    const commit = (this.#commit ??= { first: position, at, text: '' })
    if (commit.at !== at) this.#findings.add(`position ${position}: its time is not that of its commit`)
    commit.text += text
    if (seal === null) return
    const expected = sealAfter(this.#seal, commit.first, commit.at, commit.text)
    if (Buffer.compare(expected, seal) !== 0)
      this.#findings.add(`positions ${commit.first} to ${position}: the seal does not fit, something was changed`)
    // Goes on from the seal that is stored, so that one change is reported once.
    this.#seal = seal
    this.#commit = null
  }

  #cursor(no: number): Cursor {
    const known = this.#cursors.get(no)
    if (known !== undefined) return known
    const name = this.#streamName.get(no)?.['name']
    if (name === undefined) this.#findings.add(`stream number ${no} has no name`)
    const cursor = { name: String(name ?? `number ${no}`), version: 0, position: 0 }
    this.#cursors.set(no, cursor)
    return cursor
  }

  /** Saved heads may lag behind the events but never be ahead, nor name a stream that has none. */
  #checkHeads(): void {
    for (const row of this.#db.prepare('SELECT no, name, version, position FROM streams').iterate()) {
      const { version = 0, position = 0 } = this.#cursors.get(Number(row['no'])) ?? {}
      if (version === 0 || Number(row['version']) > version || Number(row['position']) > position)
        this.#findings.add(`${row['name']}: its head says version ${row['version']}, its events end at ${version}`)
    }
  }

  #number(sql: string): number {
    return Number(Object.values(this.#db.prepare(sql).get() ?? {})[0])
  }
}
