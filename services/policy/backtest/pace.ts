import type { Clock } from '#libs/clock.ts'

interface Limits {
  readonly sliceMs: number
  readonly deadlineMs: number
}

/** Lets the process do its other work every so often in the middle of long work, and says when that takes too long. */
export class Pace {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #endMs: number
  readonly #signal: AbortSignal
  #sliceEndMs: number

  constructor(clock: Clock, { sliceMs, deadlineMs }: Limits, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
    this.#sliceMs = sliceMs
    const nowMs = clock.steadyMs()
    this.#endMs = nowMs + deadlineMs
    this.#sliceEndMs = nowMs + sliceMs
  }

  /** Whether it is time to let others have a turn. */
  get isSpent(): boolean {
    return this.#clock.steadyMs() >= this.#sliceEndMs
  }

  /** Lets others have a turn. False when there is no time left to go on. */
  async rest(): Promise<boolean> {
    await this.#clock.sleep(0)
    const nowMs = this.#clock.steadyMs()
    this.#sliceEndMs = nowMs + this.#sliceMs
    return nowMs <= this.#endMs && !this.#signal.aborted
  }
}
