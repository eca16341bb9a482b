import type { Cause, Recorded } from '#contracts/message.ts'
import { StoreFault } from '../store.ts'

/** A row of `events` as SQLite answers it to a statement that returns arrays: position, stream, version, ... */
export type EventRow = readonly [
  position: number,
  stream: number,
  version: number,
  prev: number,
  type: number,
  at: number,
  data: string,
  meta: string,
]

export const eventColumns = 'position, stream, version, prev, type, at, data, meta'

/** What a row stores of an event's origin: an array, since its names would be the same in every row. */
type MetaParts = readonly [
  id: string,
  actor: string,
  commandId: string,
  correlationId: string,
  causationId: string | null,
]

/** The part of `meta` that all facts of one append share. */
export const causeText = ({ actor, commandId, correlationId, causationId }: Cause): string =>
  JSON.stringify([actor, commandId, correlationId, causationId]).slice(1)

export const metaText = (id: string, cause: string): string => `["${id}",${cause}`

/** The event that a row holds. Throws `StoreFault` when the row is damaged. */
export function eventOf(row: EventRow, stream: string, type: string): Recorded {
  const [position, , version, , , at, data, meta] = row
  try {
    const [id, actor, commandId, correlationId, causationId] = JSON.parse(meta) as MetaParts
    return {
      type,
      data: JSON.parse(data) as unknown,
      meta: { id, stream, version, position, at, actor, commandId, correlationId, causationId },
    }
  } catch (cause) {
    throw new StoreFault(`The event at position ${position} of ${stream} is damaged. Restore the last backup.`, {
      cause,
    })
  }
}
