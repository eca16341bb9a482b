import type { DatabaseSync } from 'node:sqlite'
import type { Recorded } from '#contracts/message.ts'
import { StoreFault, type StreamSlice } from '../store.ts'
import type { Heads } from './heads.ts'
import { eventColumns, eventOf, type EventRow } from './rows.ts'
import type { Types } from './types.ts'

export type Reader = ReturnType<typeof createReader>

/** Reads what is committed. Rows come as arrays, which is a third faster than as objects. */
export function createReader(db: DatabaseSync, heads: Heads, types: Types) {
  const pageAfter = db.prepare(`SELECT ${eventColumns} FROM events WHERE position > ? ORDER BY position LIMIT ?`)
  const eventAt = db.prepare(`SELECT ${eventColumns} FROM events WHERE position = ?`)
  pageAfter.setReturnArrays(true)
  eventAt.setReturnArrays(true)
  const decode = (row: EventRow) => eventOf(row, heads.nameOf(row[1]), types.nameOf(row[4]))

  return {
    page: (after: number, limit: number): readonly Recorded[] =>
      (pageAfter.all(after, limit) as unknown as EventRow[]).map(decode),

    /** Follows the chain from the stream's last event back to `afterVersion`. */
    stream(name: string, afterVersion: number): StreamSlice {
      const slot = heads.find(name)
      if (slot < 0) return { version: 0, events: [] }
      const head = heads.version(slot)
      const events: Recorded[] = []
      let next = heads.position(slot)
      for (let version = head; version > afterVersion; version--) {
        const row = eventAt.get(next) as unknown as EventRow | undefined
        if (row?.[2] !== version)
          throw new StoreFault(
            `${name}: version ${version} is not at position ${next}. The store is damaged; restore a backup.`,
          )
        events.push(decode(row))
        next = row[3]
      }
      return { version: head, events: events.reverse() }
    },
  }
}
