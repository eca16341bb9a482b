import { Counter, Gauge, type Registry } from 'prom-client'

export type Counted = 'delivered' | 'failed' | 'gone' | 'dropped'

/** Counts what becomes of notifications in this process, and how many wait. */
export class Tally {
  readonly #counts: Record<Counted, number> = { delivered: 0, failed: 0, gone: 0, dropped: 0 }
  /** Set by the one that delivers, for as long as it does. */
  waiting: () => number = () => 0

  count(what: Counted, count = 1): void {
    this.#counts[what] += count
  }

  of(what: Counted): number {
    return this.#counts[what]
  }

  /** Shows the counts where the process is asked for its metrics. */
  show(metrics: Registry): void {
    const [counts, waiting] = [this.#counts, () => this.waiting()]
    metrics.registerMetric(
      new Counter({
        name: 'remuda_notifications_total',
        help: 'Attempts to deliver notifications by their outcome, and notifications that were dropped.',
        labelNames: ['outcome'],
        registers: [],
        collect() {
          this.reset()
          for (const [outcome, count] of Object.entries(counts)) this.inc({ outcome }, count)
        },
      }),
    )
    metrics.registerMetric(
      new Gauge({
        name: 'remuda_notifications_waiting',
        help: 'Notifications that wait for their receivers.',
        registers: [],
        collect() {
          this.set(waiting())
        },
      }),
    )
  }
}
