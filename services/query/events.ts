import type { Recorded } from '#contracts/message.ts'
import type { EventRow } from '#contracts/eventRow.ts'
import { tableOf } from '#libs/view.ts'
import type { EventStore } from '#libs/store/store.ts'
import { cursorOf, placeOf } from './cursor.ts'
import { eventRow, matches, type EventFilter } from './eventRow.ts'
import type { PageRequest } from './reader.ts'
import type { Query } from './service.ts'
import { machineEvents } from './views/machineEvents.ts'

const readAtOnceMax = 1_000
/** How many events one request looks through when few of them match. */
const scannedMax = 20_000

export interface EventPage {
  readonly items: readonly EventRow[]
  /** What to ask for events behind, to go on; null when there are none now. */
  readonly next: string | null
}

type Reads = Pick<EventStore, 'readAll' | 'read' | 'head'>

/** Events in the order of the log, from the store itself and so never behind. */
export async function eventPage(
  store: Reads,
  filter: EventFilter & { after: number; limit: number },
): Promise<EventPage> {
  const { after, limit, stream } = filter
  // A category has no dash, and every stream has one.
  if (stream?.includes('-')) {
    const { events } = await store.read(stream)
    return pageOf(
      events.filter((event) => event.meta.position > after && matches(filter, event)),
      limit,
      null,
    )
  }

  const found: Recorded[] = []
  let position = after
  for (let scanned = 0; found.length <= limit && scanned < scannedMax;) {
    const events = await store.readAll(position, readAtOnceMax)
    for (const event of events) if (matches(filter, event)) found.push(event)
    if (events.length === 0) return pageOf(found, limit, null)
    position = events.at(-1)!.meta.position
    scanned += events.length
  }
  return pageOf(found, limit, String(position))
}

function pageOf(found: readonly Recorded[], limit: number, next: string | null): EventPage {
  const events = found.slice(0, limit)
  const last = found.length > limit ? String(events.at(-1)!.meta.position) : next
  return { items: events.map(eventRow), next: last }
}

/** All that belongs to the story of a machine, the latest first. */
export async function machineHistory(
  { reader }: Query,
  store: Reads,
  machineId: string,
  { limit, cursor }: PageRequest,
): Promise<EventPage> {
  const list = 'history'
  const [before] = cursor === undefined ? [Number.MAX_SAFE_INTEGER] : placeOf(list, cursor, 1)
  const sql = `SELECT at FROM ${tableOf(machineEvents)} WHERE machineId = ? AND at < ? ORDER BY at DESC LIMIT ?`
  const positions = reader.rows(sql, machineId, before ?? 0, limit + 1).map(([at]) => Number(at))
  const shown = positions.slice(0, limit)
  const next = positions.length > limit ? cursorOf(list, [shown.at(-1)!]) : null
  const items: EventRow[] = []
  for (const position of shown) items.push(...(await store.readAll(position - 1, 1)).map(eventRow))
  return { items, next }
}
