import type { EventRow } from '#contracts/eventRow.ts'
import type { Query } from './api.ts'

/** The API reads the log forwards; going back is done in windows of so many positions, wider where little is found. */
export const windowPositions = 1_000
const sparsePositions = 20_000
/** The most events of one answer. */
const limit = 1_000
/** Enough for a first look, and the number of windows that one step back may take to find it. */
const foundMin = 60
const windowsMax = 10

export interface EventQuery {
  /** A stream such as `machine-web-07`, or a category such as `machine`; empty for all. */
  readonly stream: string
  readonly type: string
}

type Read = (query: Query) => Promise<{ items: readonly EventRow[]; next: string | null }>

/**
 * Reads back from a position until enough is found or the beginning is reached.
 * @param before the events found lie before this position
 * @returns the events, newest first, and the position before which to read on; 0 when there is nothing before
 */
export async function earlier(read: Read, before: number, query: EventQuery) {
  // One stream is read as a whole: it is short, and its events may lie far apart.
  if (query.stream.includes('-')) return { events: (await between(read, 0, before, query)).reverse(), from: 0 }
  const width = query.stream + query.type === '' ? windowPositions : sparsePositions
  const found: EventRow[] = []
  let end = before
  for (let window = 0; window < windowsMax && end > 1 && found.length < foundMin; window++) {
    const after = Math.max(0, end - 1 - width)
    found.push(...(await between(read, after, end, query)).reverse())
    end = after + 1
  }
  return { events: found, from: end > 1 ? end : 0 }
}

async function between(read: Read, after: number, end: number, { stream, type }: EventQuery): Promise<EventRow[]> {
  const found: EventRow[] = []
  for (let from: number | null = after; from !== null && from < end - 1;) {
    const page: Awaited<ReturnType<Read>> = await read({ after: from, limit, stream, type })
    found.push(...page.items.filter(({ position }) => position < end))
    from = page.next === null ? null : Number(page.next)
  }
  return found
}

/** Whether an event that has just come belongs on the list. */
export const fits = (event: EventRow, { stream, type }: EventQuery): boolean =>
  (stream === '' || event.stream === stream || event.stream.startsWith(`${stream}-`)) &&
  (type === '' || event.type === type)

/** Everything is found that holds all the words, in what is shown or in the data. */
export function mentions(event: EventRow, sentence: string, q: string): boolean {
  if (q.trim() === '') return true
  const text = `${sentence} ${event.type} ${event.actor} ${event.stream} ${JSON.stringify(event.data)}`.toLowerCase()
  return q
    .toLowerCase()
    .trim()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
