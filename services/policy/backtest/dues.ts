interface Due {
  readonly atMs: number
  readonly machineId: string
  /** The spell of silence that it is about; in another one the machine is due at another time. */
  readonly since: number
}

/** Who may become due when, the earliest first: a binary heap. An entry is not taken out when its machine answers. */
export class Dues {
  #heap: Due[] = []

  get earliest(): Due | undefined {
    return this.#heap[0]
  }

  clear(): void {
    this.#heap = []
  }

  add(due: Due): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      if (heap[above]!.atMs <= due.atMs) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = due
  }

  /** Takes out the earliest. */
  take(): Due | undefined {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(due: Due): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && heap[below + 1]!.atMs < heap[below]!.atMs) below++
      if (heap[below]!.atMs >= due.atMs) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = due
  }
}
