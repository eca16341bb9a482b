import type { Recorded } from '#contracts/message.ts'
import { StoreFault } from './store.ts'

/** What following needs of a store that reads its pages in this process. */
export interface Pages {
  /** The last position that may be read. */
  position(): number
  /** The next events after a position; never empty when `after` is below that position. */
  page(after: number): readonly Recorded[]
  /** Lets other work have its turn when there is more to be read; a store in memory need not. */
  breathe?(position: number): Promise<void> | undefined
}

/** Wakes those who have read all there is. */
export class News {
  readonly #waiting = new Set<() => void>()
  #closed = false
  /** How many follow, whether they wait or are busy. */
  followers = 0

  wake(): void {
    const woken = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of woken) resolve()
  }

  close(): void {
    this.#closed = true
    this.wake()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Resolves with the next news, when the store closes, or when a signal aborts that was told of with `until`. */
  next(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.add(resolve))
  }

  /** Wakes whoever waits when the signal aborts: one listener for a follower, and not one for each of its waits. */
  until(signal: AbortSignal): Disposable {
    const wake = () => this.wake()
    signal.addEventListener('abort', wake, { once: true })
    return { [Symbol.dispose]: () => signal.removeEventListener('abort', wake) }
  }
}

/** Pages after a position, for ever: see `EventStore.follow`. Throws `StoreFault` when the store is closed meanwhile. */
export async function* followPages(
  source: Pages,
  news: News,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Recorded[]> {
  let position = after
  using _ = news.until(signal)
  news.followers++
  try {
    while (!signal.aborted) {
      if (news.closed) throw new StoreFault('The store was closed while it was being followed. Stop followers first.')
      if (source.position() <= position) {
        await news.next(signal)
        continue
      }
      const page = source.page(position)
      yield page
      position = page.at(-1)?.meta.position ?? position
      await source.breathe?.(position)
    }
  } finally {
    news.followers--
  }
}
