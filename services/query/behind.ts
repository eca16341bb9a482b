import type { EventStore } from '#libs/store/store.ts'

const sampleEvents = 1_000

/**
 * How many events there are behind a position. Where positions have gaps it is an estimate, by the gaps between the next
 * events, once the positions are further apart than `exactUpTo`.
 */
export async function eventsBehind(
  store: Pick<EventStore, 'head' | 'readAll'>,
  position: number,
  exactUpTo: number,
): Promise<number> {
  const distance = (await store.head()) - position
  if (distance <= exactUpTo) return distance
  const next = await store.readAll(position, sampleEvents)
  const last = next.at(-1)
  return last === undefined ? 0 : Math.round((next.length * distance) / (last.meta.position - position))
}
