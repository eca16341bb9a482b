import type { ObserverEvent } from '#contracts/health.ts'

/** Only the latest gaps are kept, since no open question reaches back further. */
const gapsMax = 1_000

interface Gap {
  readonly startedAt: number
  readonly endedAt: number
}

/**
 * Times in which some machines could not be observed. Takes them out of a duration: what is left was really seen.
 * Several observers share the machines out; a gap of one of them is taken out for all machines, since a machine may
 * only be judged too late by it and never too early.
 */
export class Gaps {
  /** Apart from each other and in order. */
  #ended: Gap[] = []
  readonly #open = new Map<string, number>()

  /** Since when all have been observing without a break; null while one is not, 0 when there never was a break. */
  get observingSince(): number | null {
    if (this.#open.size > 0) return null
    return this.#ended.at(-1)?.endedAt ?? 0
  }

  /** The same, which goes its own way from here on. */
  copy(): Gaps {
    const copy = new Gaps()
    copy.#ended = [...this.#ended]
    for (const [observerId, startedAt] of this.#open) copy.#open.set(observerId, startedAt)
    return copy
  }

  apply({ type, data }: ObserverEvent): void {
    // What one of them tells twice, or not the same way twice, is believed as far back as it was ever told.
    const startedAt = Math.min(data.startedAt, this.#open.get(data.observerId) ?? Infinity)
    if (type === 'ObservationGapStarted') return void this.#open.set(data.observerId, startedAt)
    this.#open.delete(data.observerId)
    this.#add({ startedAt, endedAt: data.endedAt })
  }

  /** How much of the time from `sinceMs` to `nowMs` was observed. */
  observedMs(sinceMs: number, nowMs: number): number {
    const untilMs = Math.min(nowMs, ...this.#open.values())
    let observed = Math.max(0, untilMs - sinceMs)
    // The latest are last, and what ended before is of no matter: a question costs as much as it reaches back.
    for (let index = this.#ended.length - 1; index >= 0; index--) {
      const { startedAt, endedAt } = this.#ended[index]!
      if (endedAt <= sinceMs) break
      observed -= Math.max(0, Math.min(untilMs, endedAt) - Math.max(sinceMs, startedAt))
    }
    return Math.max(0, observed)
  }

  /** Gaps that touch become one. Why nobody observed is of no matter, also where the clock was set and an end is odd. */
  #add({ startedAt, endedAt: saidToEndAt }: Gap): void {
    const endedAt = Math.max(startedAt, saidToEndAt)
    const touches = (gap: Gap) => gap.startedAt <= endedAt && gap.endedAt >= startedAt
    const one = this.#ended.filter(touches).reduce(
      (sum, gap) => ({
        startedAt: Math.min(sum.startedAt, gap.startedAt),
        endedAt: Math.max(sum.endedAt, gap.endedAt),
      }),
      { startedAt, endedAt },
    )
    const apart = this.#ended.filter((gap) => !touches(gap))
    const before = apart.filter((gap) => gap.endedAt < startedAt)
    this.#ended = [...before, one, ...apart.slice(before.length)].slice(-gapsMax)
  }
}
