import type { ObserverEvent } from '#contracts/health.ts'

/** Only the latest gaps are kept, since no open question reaches back further. */
const gapsMax = 1_000

interface Gap {
  readonly startedAt: number
  /** null while nobody observes. */
  readonly endedAt: number | null
}

/** Times in which nobody observed. Takes them out of a duration: what is left was really seen. */
export class Gaps {
  readonly #gaps: Gap[] = []

  /** Since when somebody has been observing without a break; null while nobody is, 0 when there never was a break. */
  get observingSince(): number | null {
    const last = this.#gaps.at(-1)
    return last === undefined ? 0 : last.endedAt
  }

  apply(event: ObserverEvent): void {
    const { startedAt } = event.data
    if (event.type === 'ObservationGapStarted') return this.#add({ startedAt, endedAt: null })
    // A gap that was still open ends here, whenever it is said to have begun.
    if (this.#gaps.at(-1)?.endedAt === null) this.#gaps.pop()
    this.#add({ startedAt, endedAt: event.data.endedAt })
  }

  /** How much of the time from `sinceMs` to `nowMs` was observed. Never more than it was, even if gaps overlap. */
  observedMs(sinceMs: number, nowMs: number): number {
    let observed = Math.max(0, nowMs - sinceMs)
    for (const { startedAt, endedAt } of this.#gaps) {
      const overlap = Math.min(nowMs, endedAt ?? nowMs) - Math.max(sinceMs, startedAt)
      if (overlap > 0) observed -= overlap
    }
    return Math.max(0, observed)
  }

  #add(gap: Gap): void {
    this.#gaps.push(gap)
    if (this.#gaps.length > gapsMax) this.#gaps.shift()
  }
}
