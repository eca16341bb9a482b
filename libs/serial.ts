interface Line {
  tail: Promise<unknown>
  length: number
}

/** Runs work in the order it came: one at a time for each key, side by side for different keys. */
export class Serial {
  readonly #waitingMax: number
  readonly #lines = new Map<string, Line>()

  /** @param waitingMax how much may wait for one key before more is turned away */
  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  /** Resolves or rejects as the work does; null when too much waits for this key, and then nothing is run. */
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result> | null {
    const line = this.#lines.get(key)
    if (line && line.length > this.#waitingMax) return null

    // Whoever is first does not wait even for a microtask: most streams have one command at a time.
    const result = line ? line.tail.then(work) : work()
    const place = line ?? { tail: result, length: 0 }
    if (!line) this.#lines.set(key, place)
    place.length += 1
    const leave = () => {
      place.length -= 1
      if (place.length === 0) this.#lines.delete(key)
    }
    place.tail = result.then(leave, leave)
    return result
  }
}
