import { z } from 'zod'
import { Refused } from '#libs/problem.ts'
import type { EventStore } from '#libs/store/store.ts'

/** A moment of the past as it is asked for: by the position in the log, or by the time. */
export type Moment = { readonly position: number } | { readonly atMs: number }

const byPosition = /^(?:position:)?(\d{1,16})$/
const Instant = z.iso.datetime({ offset: true })

/**
 * Reads what stands behind `asOf=`.
 * @throws Refused ASOF_INVALID when it names no moment
 */
export function readMoment(text: string): Moment {
  const position = Number(byPosition.exec(text)?.[1] ?? Number.NaN)
  if (Number.isSafeInteger(position)) return { position }
  if (Instant.safeParse(text).success) return { atMs: Date.parse(text) }
  throw new Refused(
    'ASOF_INVALID',
    `asOf: '${text}' is neither a time such as 2026-11-24T09:30:00Z nor a position such as position:41.`,
  )
}

/**
 * The position of the last event that was recorded at that time or before; 0 when none was. It is searched for by
 * halves, so where the wall clock was set back it is one of the places at which that time passed.
 */
export async function positionAt(store: Pick<EventStore, 'head' | 'readAll'>, atMs: number): Promise<number> {
  let low = 0
  let high = await store.head()
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    const [next] = await store.readAll(middle, 1)
    if (next === undefined || next.meta.at > atMs) high = middle
    else low = next.meta.position
  }
  return low
}
