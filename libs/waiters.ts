import type { Clock } from './clock.ts'

interface Waiter {
  readonly position: number
  settle(reached: boolean): void
}

/** Those who wait until a position has been worked through: "let me read what I have just written". */
export class Waiters {
  readonly #clock: Clock
  readonly #waitersMax: number
  readonly #waiting = new Set<Waiter>()
  #position: number
  #closed = false

  constructor(clock: Clock, position: number, waitersMax = 10_000) {
    this.#clock = clock
    this.#position = position
    this.#waitersMax = waitersMax
  }

  /** Resolves true once the position is reached; false after `timeoutMs`, on closing, or when too many wait already. */
  async reached(position: number, timeoutMs: number): Promise<boolean> {
    if (position <= this.#position) return true
    if (this.#closed || this.#waiting.size >= this.#waitersMax) return false
    return new Promise((resolve) => {
      const timer = this.#clock.timer(timeoutMs, () => waiter.settle(false))
      const waiter: Waiter = {
        position,
        settle: (reached) => {
          timer.cancel()
          this.#waiting.delete(waiter)
          resolve(reached)
        },
      }
      this.#waiting.add(waiter)
    })
  }

  /** Tells that everything up to this position is done. */
  advance(position: number): void {
    this.#position = position
    if (this.#waiting.size === 0) return
    for (const waiter of [...this.#waiting]) if (waiter.position <= position) waiter.settle(true)
  }

  close(): void {
    this.#closed = true
    for (const waiter of [...this.#waiting]) waiter.settle(false)
  }
}
