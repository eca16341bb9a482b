import type { Recorded } from '#contracts/message.ts'

const eventsMax = 256

/**
 * What a subscription brought last: everything behind a position, in order. As positions have gaps, nobody can see by
 * them alone that one event follows another; whoever is close behind is told so from here, without asking the server.
 */
export class Recent {
  /** Everything behind this position is here; null when nothing is brought. */
  #after: number | null = null
  #events: Recorded[] = []

  /** From now on `add` brings everything behind a position. */
  start(after: number): void {
    this.#after = after
    this.#events = []
  }

  /** Something may be missing from now on. */
  stop(): void {
    this.#after = null
    this.#events = []
  }

  get isLive(): boolean {
    return this.#after !== null
  }

  add(event: Recorded): void {
    if (this.#after === null) return
    this.#events.push(event)
    if (this.#events.length > eventsMax) this.#after = (this.#events.shift() as Recorded).meta.position
  }

  /** The next events behind a position; null when the server has to be asked. */
  page(after: number, limit: number): readonly Recorded[] | null {
    const last = this.#events.at(-1)
    if (this.#after === null || last === undefined || after < this.#after || after >= last.meta.position) return null
    const first = this.#events.findIndex(({ meta }) => meta.position > after)
    return this.#events.slice(first, first + limit)
  }

  /** The events of a stream with these versions; null when not all of them are here. */
  range(stream: string, afterVersion: number, count: number): readonly Recorded[] | null {
    const found = this.#events.filter(
      ({ meta }) => meta.stream === stream && meta.version > afterVersion && meta.version <= afterVersion + count,
    )
    return found.length === count ? found : null
  }
}
