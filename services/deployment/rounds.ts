import type { Clock } from '#libs/clock.ts'

/** How many one round looks at, how many of them together, and how long everything else then has its turn. */
const lookedAtMax = 500
const togetherMax = 25
const pauseMs = 20

/**
 * Looks at everyone now and then, a few at a time, so that nothing else waits long for it. Where there are more than one
 * round takes, the others have their turn in the next ones.
 */
export class Rounds {
  readonly #clock: Clock
  readonly #look: (ids: readonly string[]) => void
  readonly #stop = new AbortController()
  #lookedUpTo = 0

  constructor(clock: Clock, look: (ids: readonly string[]) => void) {
    this.#clock = clock
    this.#look = look
  }

  /** @param all everyone there is, those who are new behind the others */
  async begin(all: readonly string[]): Promise<void> {
    const first = this.#lookedUpTo < all.length ? this.#lookedUpTo : 0
    this.#lookedUpTo = first + lookedAtMax
    const ids = all.slice(first, this.#lookedUpTo)
    for (let at = 0; at < ids.length && !this.#stop.signal.aborted; at += togetherMax) {
      this.#look(ids.slice(at, at + togetherMax))
      if (at + togetherMax < ids.length) await this.#clock.sleep(pauseMs, this.#stop.signal)
    }
  }

  stop(): void {
    this.#stop.abort()
  }
}
