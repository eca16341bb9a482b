import type { Timer } from '#libs/clock.ts'

export interface QueuedTimer {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

const isBefore = (a: QueuedTimer, b: QueuedTimer) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

/** Timers by when they are due, and among equals by when they were set: a binary heap. */
export class TimerQueue {
  readonly #heap: QueuedTimer[] = []
  #added = 0
  #live = 0

  /** Timers that will still run. */
  get size(): number {
    return this.#live
  }

  add(dueMs: number, run: () => void): Timer {
    const timer: QueuedTimer = { dueMs, order: (this.#added += 1), run, cancelled: false }
    this.#heap.push(timer)
    this.#rise(this.#heap.length - 1)
    this.#live += 1
    return {
      cancel: () => {
        if (timer.cancelled) return
        timer.cancelled = true
        this.#live -= 1
      },
    }
  }

  /** The timer that is due first. Cancelled ones stay in the heap until they come up here. */
  next(): QueuedTimer | undefined {
    while (this.#heap[0]?.cancelled) this.#pop()
    return this.#heap[0]
  }

  /** Takes out the first timer; then it cannot be cancelled any more. */
  take(): QueuedTimer | undefined {
    const first = this.next()
    if (!first) return undefined
    this.#pop()
    first.cancelled = true
    this.#live -= 1
    return first
  }

  #pop(): void {
    this.#swap(0, this.#heap.length - 1)
    this.#heap.pop()
    this.#sink()
  }

  #rise(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1
      if (!isBefore(this.#heap[child]!, this.#heap[parent]!)) return
      this.#swap(child, parent)
      child = parent
    }
  }

  #sink(): void {
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2]
      let least = parent
      for (const child of [left, right])
        if (child < this.#heap.length && isBefore(this.#heap[child]!, this.#heap[least]!)) least = child
      if (least === parent) return
      this.#swap(parent, least)
      parent = least
    }
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = kept
  }
}
