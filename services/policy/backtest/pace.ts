import type { Clock } from '#libs/clock.ts'

/** Lets the process do its other work every so often in the middle of long work, and says when that takes too long. */
export class Pace {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #endMs: number
  #sliceEndMs: number

  constructor(clock: Clock, { sliceMs, deadlineMs }: { readonly sliceMs: number; readonly deadlineMs: number }) {
    this.#clock = clock
    this.#sliceMs = sliceMs
    const nowMs = clock.steadyMs()
    this.#endMs = nowMs + deadlineMs
    this.#sliceEndMs = nowMs + sliceMs
  }

  get isLate(): boolean {
    return this.#clock.steadyMs() > this.#endMs
  }

  /** Whether it is time to let others have a turn. */
  get isSpent(): boolean {
    return this.#clock.steadyMs() >= this.#sliceEndMs
  }

  async rest(): Promise<void> {
    await this.#clock.sleep(0)
    this.#sliceEndMs = this.#clock.steadyMs() + this.#sliceMs
  }
}
