import type { Recorded } from '#contracts/message.ts'
import type { EventStore } from '#libs/store/store.ts'

const pageMax = 1_000

/** Hands over what is stored now, page by page, and answers the position behind which to go on. */
export async function readAll(
  store: Pick<EventStore, 'readAll'>,
  take: (events: readonly Recorded[]) => void,
): Promise<number> {
  let position = 0
  for (;;) {
    const page = await store.readAll(position, pageMax)
    take(page)
    position = page.at(-1)?.meta.position ?? position
    if (page.length < pageMax) return position
  }
}
