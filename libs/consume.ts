import type { Recorded } from '#contracts/message.ts'
import { allEvents } from '#contracts/subjects.ts'
import { Arrivals } from './arrivals.ts'
import { backoffMs } from './backoff.ts'
import type { Bus, Subscription } from './bus/bus.ts'
import type { Clock, Timer } from './clock.ts'
import type { Log } from './log.ts'
import type { EventStore } from './store/store.ts'
import { Waiters } from './waiters.ts'

const backoff = { baseMs: 50, delayMaxMs: 5_000 }
const defaults = { idleMs: 1_000, batchMax: 1_000, queueMax: 10_000, failuresMax: 10, graceMs: 5_000 }

export interface ConsumerOptions {
  readonly name: string
  readonly store: EventStore
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** The position behind which to begin. */
  readonly after: number
  /** How often it is looked at whether the bus has been silent: then the store is asked whether anything was missed. */
  readonly idleMs?: number
  /** Events handed over at once, at most (1 to 10,000, the store's own limit for a page). */
  readonly batchMax?: number
  /** Events from the bus that may wait; when there are more they are dropped and read from the store instead. */
  readonly queueMax?: number
  /** Failures of the store or the handler in a row before the consumer gives up. */
  readonly failuresMax?: number
  /** How long closing waits for a batch in hand. */
  readonly graceMs?: number
  /** Takes the next events, in order. When it throws it gets the same events again, perhaps with more behind them. */
  handle(events: readonly Recorded[]): Promise<void> | void
}

/**
 * Hands every event of the store to a handler, in strict order, none skipped and none repeated. The bus is only the
 * quick way: what arrives next in line is taken, what is old is ignored, and what is missing is read from the store.
 */
export const startConsumer = (options: ConsumerOptions): Consumer => new Consumer(options)

export class Consumer implements AsyncDisposable {
  readonly #options: Required<ConsumerOptions>
  readonly #stop = new AbortController()
  readonly #arrivals: Arrivals
  readonly #waiters: Waiters
  readonly #subscription: Subscription
  readonly #failure = Promise.withResolvers<Error>()
  readonly #running: Promise<void>
  #position: number
  // Up to here events were handed over; ahead of the position while a batch is in hand.
  #takenPosition: number
  #failures = 0
  #lookIntoStore = true
  #isSilent = true
  #silence: Timer
  #wake = () => {}

  constructor(options: ConsumerOptions) {
    this.#options = { ...defaults, ...options }
    this.#position = this.#takenPosition = options.after
    this.#arrivals = new Arrivals(this.#options.queueMax)
    this.#waiters = new Waiters(options.clock, options.after)
    this.#subscription = options.bus.subscribe(allEvents, ({ payload }) => this.#arrive(payload as Recorded))
    this.#silence = options.clock.timer(this.#options.idleMs, () => this.#afterSilence())
    this.#running = this.#run()
  }

  /** The position of the last event that was handled. */
  get position(): number {
    return this.#position
  }

  /** Resolves with the fault that made the consumer give up; never, as long as it goes on or was closed. */
  get failure(): Promise<Error> {
    return this.#failure.promise
  }

  /** Whether the position was handled within `timeoutMs`. */
  reached(position: number, timeoutMs: number): Promise<boolean> {
    return this.#waiters.reached(position, timeoutMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake()
    const graceOver = new AbortController()
    await Promise.race([this.#running, this.#options.clock.sleep(this.#options.graceMs, graceOver.signal)])
    graceOver.abort()
  }

  #arrive(event: Recorded): void {
    if (!(event?.meta?.position > this.#takenPosition)) return
    if (!this.#arrivals.add(event)) this.#lookIntoStore = true
    this.#isSilent = false
    this.#wake()
  }

  /** One timer that goes on, since one for each wait would be made and cancelled for every event. */
  #afterSilence(): void {
    if (this.#isSilent) {
      this.#lookIntoStore = true
      this.#wake()
    }
    this.#isSilent = true
    this.#silence = this.#options.clock.timer(this.#options.idleMs, () => this.#afterSilence())
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#failures < this.#options.failuresMax) {
      try {
        await this.#step()
        this.#failures = 0
      } catch (error) {
        await this.#recover(error)
      }
    }
    this.#silence.cancel()
    this.#subscription.stop()
    this.#waiters.close()
  }

  #step(): Promise<void> {
    const { first } = this.#arrivals
    if (first === this.#position + 1) return this.#deliver(this.#arrivals.take(this.#options.batchMax))
    if (first !== undefined || this.#lookIntoStore) return this.#readStore()
    return this.#waitForNews()
  }

  async #deliver(events: readonly Recorded[]): Promise<void> {
    this.#takenPosition = events.at(-1)!.meta.position
    await this.#options.handle(events)
    this.#position = this.#takenPosition
    this.#waiters.advance(this.#position)
  }

  async #readStore(): Promise<void> {
    const { store, clock, batchMax } = this.#options
    // What arrives while the store is being read may ask for another look, so this comes first.
    this.#lookIntoStore = false
    const page = await store.readAll(this.#position, batchMax)
    // An event that the store does not have is none, whatever the bus says.
    if (page.length === 0) return this.#arrivals.clear()
    await this.#deliver(page)
    this.#arrivals.dropUpTo(this.#position)
    if (page.length < batchMax) return
    this.#lookIntoStore = true
    // A long way to go: let timers and sockets have their turn between two pages.
    await clock.sleep(0, this.#stop.signal)
  }

  #waitForNews(): Promise<void> {
    const news = Promise.withResolvers<void>()
    this.#wake = news.resolve
    return news.promise
  }

  async #recover(error: unknown): Promise<void> {
    const { name, clock, log, failuresMax } = this.#options
    this.#failures += 1
    this.#lookIntoStore = true
    const details = { consumer: name, error, failures: this.#failures, position: this.#position }
    log.error(details, 'a consumer could not handle its next events')
    if (this.#failures < failuresMax) await clock.sleep(backoffMs(clock, this.#failures, backoff), this.#stop.signal)
    else this.#failure.resolve(error instanceof Error ? error : new Error(String(error)))
  }
}
