import type { Recorded } from '#contracts/message.ts'

/**
 * Events as the bus brings them, held as one run of consecutive positions. What does not continue the run starts a
 * new one: everything before it will be read from the store, which costs a read and saves sorting.
 */
export class Arrivals {
  readonly #sizeMax: number
  #run: Recorded[] = []

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get size(): number {
    return this.#run.length
  }

  /** The position of the first event that waits. */
  get first(): number | undefined {
    return this.#run[0]?.meta.position
  }

  /** Takes an event that may be old, doubled, early or one too many; false when something was dropped for it. */
  add(event: Recorded): boolean {
    const last = this.#run.at(-1)?.meta.position
    const { position } = event.meta
    if (last !== undefined && position <= last) return true
    if (last !== undefined && position !== last + 1) {
      this.#run = [event]
      return false
    }
    if (this.#run.length >= this.#sizeMax) {
      this.#run = []
      return false
    }
    this.#run.push(event)
    return true
  }

  /** Removes and returns up to `limit` events from the start of the run. */
  take(limit: number): readonly Recorded[] {
    if (this.#run.length > limit) return this.#run.splice(0, limit)
    const all = this.#run
    this.#run = []
    return all
  }

  dropUpTo(position: number): void {
    const keepFrom = this.#run.findIndex(({ meta }) => meta.position > position)
    this.#run = keepFrom === -1 ? [] : this.#run.slice(keepFrom)
  }

  clear(): void {
    this.#run = []
  }
}
