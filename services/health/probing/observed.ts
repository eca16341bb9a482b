import type { Clock } from '#libs/clock.ts'

/** A break that is shorter is only not counted; after a longer one, what was seen before it has to be seen again. */
const breakMaxMs = 2_000

/** Time in which this observer was observing: a clock that stands still while it was not. */
export class Observed {
  readonly #clock: Pick<Clock, 'steadyMs'>
  #missedMs = 0
  #era = 0

  constructor(clock: Pick<Clock, 'steadyMs'>) {
    this.#clock = clock
  }

  get ms(): number {
    return this.#clock.steadyMs() - this.#missedMs
  }

  /** Changes with every break after which fresh evidence is needed. */
  get era(): number {
    return this.#era
  }

  /** Nobody observed for a while, so nobody was silent for that while either. */
  forgive(gapMs: number): void {
    this.#missedMs += gapMs
    if (gapMs >= breakMaxMs) this.startAfresh()
  }

  startAfresh(): void {
    this.#era += 1
  }
}
