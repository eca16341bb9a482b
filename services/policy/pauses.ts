import type { Clock } from '#libs/clock.ts'

/** A sweep that is so much late was held up with the whole process. */
const stallMs = 5_000
/** How long whoever listens may take to say for how long nobody did. */
const settleMs = 3_000

/**
 * Notices that this process did not run for a while. In that time nobody listened, so no silence may be judged before
 * the gap is written down; which of the two comes first when the process goes on is a matter of chance.
 */
export class Pauses {
  readonly #clock: Clock
  readonly #sweepMs: number
  #sweptMs: number
  #unsettledUntilMs = 0

  /** @param sweepMs how often `swept` is called while all goes well */
  constructor(clock: Clock, sweepMs: number) {
    this.#clock = clock
    this.#sweepMs = sweepMs
    this.#sweptMs = clock.steadyMs()
  }

  swept(): void {
    const nowMs = this.#clock.steadyMs()
    if (this.#isLate(nowMs)) this.#unsettledUntilMs = nowMs + settleMs
    this.#sweptMs = nowMs
  }

  /** Whether there was a pause of which nobody may have told yet. */
  get isUnsettled(): boolean {
    const nowMs = this.#clock.steadyMs()
    return nowMs < this.#unsettledUntilMs || this.#isLate(nowMs)
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#sweptMs > this.#sweepMs + stallMs
  }
}
