import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { backoffMs } from '../backoff.ts'
import type { News } from './follow.ts'
import { StoreFault } from './store.ts'

const pageEvents = 1_000
const backoff = { baseMs: 20, delayMaxMs: 2_000 }

/** What following needs of a store on a server: something that tells how far the log goes, and its pages. */
export interface Following {
  readonly doorbell: {
    readonly position: number
    readonly news: News
    /** Why nobody may follow any more. */
    readonly failure?: StoreFault | null
    join(): void
    leave(): void
  }
  readonly reader: { pageOnce(after: number, limit: number): Promise<readonly Recorded[]> }
  readonly clock: Clock
  readonly isPassing: (error: unknown) => boolean
  readonly asFault: (error: unknown, doing: string) => StoreFault
}

/**
 * Pages after a position, for ever: see `EventStore.follow`. Outlasts a server that restarts. Throws `StoreFault` when
 * the store is closed meanwhile, or when reading fails for a reason that does not pass by itself.
 */
export async function* followDoorbell(
  following: Following,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Recorded[]> {
  const { doorbell } = following
  let position = after
  using _ = doorbell.news.until(signal)
  doorbell.join()
  try {
    while (!signal.aborted) {
      if (doorbell.position <= position) await doorbell.news.next(signal)
      if (doorbell.news.closed)
        throw new StoreFault('The store was closed while it was being followed. Stop followers first.')
      if (doorbell.failure) throw doorbell.failure
      if (signal.aborted || doorbell.position <= position) continue
      const page = await nextPage(following, position, signal)
      if (page.length === 0 || signal.aborted) continue
      yield page
      position = page.at(-1)?.meta.position ?? position
    }
  } finally {
    doorbell.leave()
  }
}

/** What comes next, read again and again while the server is away. Empty when it was stopped meanwhile. */
async function nextPage(
  { reader, doorbell, clock, isPassing, asFault }: Following,
  position: number,
  signal: AbortSignal,
): Promise<readonly Recorded[]> {
  for (let failures = 1; !signal.aborted && !doorbell.news.closed; failures++) {
    try {
      const page = await reader.pageOnce(position, pageEvents)
      if (page.length > 0) return page
      // A node that is behind the one that told of it does not have it yet.
    } catch (error) {
      if (!isPassing(error)) throw asFault(error, `following after position ${position}`)
    }
    await clock.sleep(backoffMs(clock, failures, backoff), signal)
  }
  return []
}
