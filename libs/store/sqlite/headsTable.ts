import type { DatabaseSync } from 'node:sqlite'
import { StoreFault } from '../store.ts'
import { readSetting } from './schema.ts'

export type HeadRow = readonly [no: number, name: string, version: number, position: number]

const scanEvents = 10_000

/** The heads on disk. They lag behind the events, up to the position that `savedPosition` answers. */
export class HeadsTable {
  readonly #db: DatabaseSync
  readonly #statements

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#statements = {
      find: db.prepare('SELECT no, name, version, position FROM streams WHERE name = ?'),
      newest: db.prepare('SELECT no, name, version, position FROM streams ORDER BY no DESC LIMIT ?'),
      name: db.prepare('SELECT name FROM streams WHERE no = ?'),
      insert: db.prepare('INSERT INTO streams (no, name, version, position) VALUES (?, ?, 0, 0)'),
      move: db.prepare('UPDATE streams SET version = ?, position = ? WHERE no = ?'),
      savedPosition: db.prepare(`UPDATE settings SET value = ? WHERE name = 'headsPosition'`),
      scan: db.prepare('SELECT position, stream, version FROM events WHERE position > ? ORDER BY position LIMIT ?'),
    }
    this.#statements.find.setReturnArrays(true)
    this.#statements.newest.setReturnArrays(true)
    this.#statements.scan.setReturnArrays(true)
  }

  find(name: string): HeadRow | undefined {
    return this.#statements.find.get(name) as unknown as HeadRow | undefined
  }

  newest(limit: number): readonly HeadRow[] {
    return this.#statements.newest.all(limit) as unknown as HeadRow[]
  }

  nameOf(no: number): string {
    const row = this.#statements.name.get(no)
    if (row === undefined)
      throw new StoreFault(`Stream number ${no} has no name: the store is damaged. Restore the last backup.`)
    return String(row['name'])
  }

  lastNo(): number {
    return Number(Object.values(this.#db.prepare('SELECT max(no) FROM streams').get() ?? {})[0] ?? 0)
  }

  insert(no: number, name: string): void {
    this.#statements.insert.run(no, name)
  }

  move(no: number, version: number, position: number): void {
    this.#statements.move.run(version, position, no)
  }

  savedPosition(position: number): void {
    this.#statements.savedPosition.run(position)
  }

  /** Brings the heads up to the events that were stored after they were saved last. */
  catchUp(): void {
    const ends = new Map<number, readonly [version: number, position: number]>()
    const from = readSetting(this.#db, 'headsPosition')
    let last = from
    for (let page; (page = this.#statements.scan.all(last, scanEvents)).length > 0;) {
      for (const [position, no, version] of page as unknown as [number, number, number][]) {
        ends.set(no, [version, position])
        last = position
      }
    }
    if (last === from) return
    this.#db.exec('BEGIN IMMEDIATE')
    for (const [no, [version, position]] of ends) this.move(no, version, position)
    this.savedPosition(last)
    this.#db.exec('COMMIT')
  }
}
