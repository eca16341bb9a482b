const secondMs = 1_000

/** Counts the frames of a session, second by second. Costs next to nothing, since it stands before every heartbeat. */
export class FrameRate {
  readonly #perSecondMax: number
  #secondBeganMs = 0
  #frames = 0

  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax
  }

  /** False when it is one too many. */
  take(nowMs: number): boolean {
    if (nowMs - this.#secondBeganMs >= secondMs) {
      this.#secondBeganMs = nowMs
      this.#frames = 0
    }
    return ++this.#frames <= this.#perSecondMax
  }
}
