import { StoreFault } from '../store.ts'

/** Lets so many at the same time do something; the others wait in line. */
export class Slots {
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #free: number

  /**
   * @param count how many at the same time
   * @param waitingMax how many may wait before more are turned away
   */
  constructor(count: number, waitingMax: number) {
    this.#free = count
    this.#waitingMax = waitingMax
  }

  /** Throws `StoreFault` when too many wait. */
  async run<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (this.#free === 0) await this.#wait()
    else this.#free--
    try {
      return await work()
    } finally {
      // Whoever is next takes over the slot, so that nobody can slip in between.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax)
      throw new StoreFault('The event store can not keep up: too much waits to be written. Try again in a moment.')
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
