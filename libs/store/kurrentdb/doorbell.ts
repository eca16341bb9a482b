import type { AllStreamSubscription } from '@kurrent/kurrentdb-client'
import type { Clock } from '#libs/clock.ts'
import { backoffMs } from '../../backoff.ts'
import { News } from '../follow.ts'
import { StoreFault } from '../store.ts'
import type { Connection } from './connection.ts'
import { recordedOf } from './events.ts'
import type { Names } from './names.ts'
import type { Reader } from './reader.ts'
import type { Recent } from './recent.ts'

const reconnect = { baseMs: 50, delayMaxMs: 5_000 }

export interface DoorbellParts {
  readonly connection: Connection
  readonly reader: Reader
  readonly recent: Recent
  readonly names: Names
  readonly clock: Clock
  /** How often the store is asked for its end while somebody follows, in case the subscription hangs. */
  readonly pollMs: number
  /** Where the log ends already. */
  readonly position: number
  readonly closing: AbortSignal
  readonly log?: { warn(details: object, message: string): void }
}

/**
 * Knows how far the log goes, from a subscription to it; while that is broken, from the appends of this process; and,
 * since it may hang, by asking now and then. Starts with the first follower.
 */
export class Doorbell {
  readonly news = new News()
  readonly #parts: DoorbellParts
  #position: number
  #started = false
  #failure: StoreFault | null = null

  constructor(parts: DoorbellParts) {
    this.#parts = parts
    this.#position = parts.position
  }

  get position(): number {
    return this.#position
  }

  /** Why nobody may follow any more. */
  get failure(): StoreFault | null {
    return this.#failure
  }

  /** The log goes up to here, at least. */
  advance(position: number): void {
    if (position <= this.#position) return
    this.#position = position
    this.news.wake()
  }

  /** This process has appended. While the subscription lives it brings that itself, and at once. */
  committed(position: number): void {
    if (!this.#parts.recent.isLive) this.advance(position)
  }

  /** Waits until the subscription has brought what is at a position, if it lives, and no longer than `timeoutMs`. */
  async brought(position: number, timeoutMs: number): Promise<void> {
    const { clock, recent } = this.#parts
    const over = new AbortController()
    const timer = clock.timer(timeoutMs, () => over.abort())
    while (recent.isLive && this.#position < position && !over.signal.aborted && !this.news.closed)
      await this.news.next(over.signal)
    timer.cancel()
  }

  /** Somebody follows from now on, until `leave`. */
  join(): void {
    this.news.followers++
    if (this.#started) return
    this.#started = true
    void this.#listen()
    void this.#poll()
  }

  leave(): void {
    this.news.followers--
  }

  async #listen(): Promise<void> {
    const { clock, closing, log, recent } = this.#parts
    for (let failures = 0; !closing.aborted && this.#failure === null;) {
      const error = await this.#listenOnce(() => (failures = 0)).catch((error: unknown) => error)
      recent.stop()
      if (closing.aborted || this.#failure !== null) return
      failures += 1
      const reason = error instanceof Error ? error.message : 'it was ended'
      log?.warn({ reason, failures }, 'the subscription to KurrentDB broke; followers look for themselves meanwhile')
      await clock.sleep(backoffMs(clock, failures, reconnect), closing)
    }
  }

  /** Listens until the subscription ends or breaks, or the store closes. */
  async #listenOnce(listening: () => void): Promise<void> {
    const { connection, recent, names, closing } = this.#parts
    const head = await this.#look()
    if (head === null || closing.aborted) return
    recent.start(head)
    const subscription = connection.subscribe(head)
    const end = () => endOf(subscription)
    subscription.once('confirmation', listening).on('error', ignore)
    closing.addEventListener('abort', end, { once: true })
    try {
      for await (const told of subscription) {
        const event = recordedOf(told, names)
        recent.add(event)
        this.advance(event.meta.position)
      }
    } finally {
      closing.removeEventListener('abort', end)
      end()
    }
  }

  /** Where the log ends; null when it ends before what was seen of it. */
  async #look(): Promise<number | null> {
    const seen = this.#position
    const head = await this.#parts.reader.headOnce()
    if (head < seen) {
      this.#fail(head)
      return null
    }
    this.advance(head)
    return head
  }

  /** Positions that are given a second time would make every consumer miss what is there now. */
  #fail(head: number): void {
    this.#failure = new StoreFault(
      `The log of KurrentDB ends at position ${head}, and has been at ${this.#position}: a backup was restored, or a ` +
        'node took over that lacked what was acknowledged. Start Remuda again, with ?restored=<name> in the store URL.',
    )
    this.#parts.log?.warn({ head, position: this.#position }, this.#failure.message)
    this.news.wake()
  }

  async #poll(): Promise<void> {
    const { clock, closing, pollMs } = this.#parts
    while (!closing.aborted && this.#failure === null) {
      // Who listens says aloud when the server can not be reached; asking in vain is no more news than that.
      if (this.news.followers > 0) await this.#look().catch(ignore)
      await clock.sleep(pollMs, closing)
    }
  }
}

function endOf(subscription: AllStreamSubscription): void {
  subscription.unsubscribe().catch(ignore)
  subscription.destroy()
}

/** What breaks is told to who reads the subscription; and without a listener of its own it would end the process. */
const ignore = () => {}
