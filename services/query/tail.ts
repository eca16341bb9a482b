import type { Recorded } from '#contracts/message.ts'
import { startConsumer, type Consumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import type { EventStore } from '#libs/store/store.ts'

const pageMax = 500

/**
 * The end of the log, for all who watch it: one consumer hears of new events, however many listen. Whoever is behind
 * reads from the store until they have caught up.
 */
export class Tail implements AsyncDisposable {
  readonly #store: EventStore
  readonly #consumer: Consumer
  #wakers = new Set<(events: readonly Recorded[]) => void>()
  #position: number

  static async start(platform: Platform): Promise<Tail> {
    return new Tail(platform, await platform.store.head())
  }

  private constructor({ store, bus, clock, log }: Platform, after: number) {
    this.#store = store
    this.#position = after
    const handle = (events: readonly Recorded[]) => this.#handle(events)
    this.#consumer = startConsumer({ name: 'query.tail', store, bus, clock, log, after, batchMax: pageMax, handle })
  }

  get position(): number {
    return this.#position
  }

  get failure(): Promise<Error> {
    return this.#consumer.failure
  }

  /** The events behind a position, as soon as there are any; none when the signal aborts before. */
  async next(after: number, signal: AbortSignal): Promise<readonly Recorded[]> {
    if (signal.aborted) return []
    if (after < this.#position) return this.#store.readAll(after, pageMax)
    const events = await this.#wait(signal)
    // Who waits behind the end of the log, as after a restore, hears nothing until the log has come that far.
    return events.filter(({ meta }) => meta.position > after)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer[Symbol.asyncDispose]()
    this.#wake([])
  }

  #handle(events: readonly Recorded[]): void {
    this.#position = events.at(-1)?.meta.position ?? this.#position
    this.#wake(events)
  }

  #wake(events: readonly Recorded[]): void {
    const wakers = this.#wakers
    this.#wakers = new Set()
    for (const wake of wakers) wake(events)
  }

  async #wait(signal: AbortSignal): Promise<readonly Recorded[]> {
    const { promise, resolve } = Promise.withResolvers<readonly Recorded[]>()
    const stop = () => {
      this.#wakers.delete(resolve)
      resolve([])
    }
    this.#wakers.add(resolve)
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
}
