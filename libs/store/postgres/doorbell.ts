import type { Clock } from '#libs/clock.ts'
import { backoffMs } from '../../backoff.ts'
import { News } from '../follow.ts'
import type { Connections } from './connections.ts'
import type { Reader } from './reader.ts'

const reconnect = { baseMs: 50, delayMaxMs: 5_000 }

export interface DoorbellParts {
  readonly connections: Connections
  readonly reader: Reader
  readonly clock: Clock
  readonly schema: string
  /** How often the store is asked for its end while somebody follows, in case a notification was lost. */
  readonly pollMs: number
  /** Where the log ends already. */
  readonly position: number
  readonly closing: AbortSignal
  readonly log?: { warn(details: object, message: string): void }
}

/**
 * Knows how far the log goes: from the commits of this process, from the notifications that every commit of another one
 * sends, and, since notifications are lost with a connection, by asking now and then. Starts with the first follower.
 */
export class Doorbell {
  readonly news = new News()
  readonly #parts: DoorbellParts
  #position: number
  #started = false

  constructor(parts: DoorbellParts) {
    this.#parts = parts
    this.#position = parts.position
  }

  get position(): number {
    return this.#position
  }

  /** The log goes up to here, at least. */
  advance(position: number): void {
    if (position <= this.#position) return
    this.#position = position
    this.news.wake()
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
    const { clock, closing, log } = this.#parts
    for (let failures = 0; !closing.aborted;) {
      try {
        await this.#listenOnce(() => (failures = 0))
      } catch (error) {
        if (closing.aborted) return
        failures += 1
        log?.warn(
          { reason: (error as Error).message, failures },
          'PostgreSQL sends no notifications; followers look for themselves meanwhile',
        )
        await clock.sleep(backoffMs(clock, failures, reconnect), closing)
      }
    }
  }

  /** Listens until the connection ends, which is thrown, or the store closes. */
  async #listenOnce(listening: () => void): Promise<void> {
    const { connections, reader, schema, closing } = this.#parts
    const client = await connections.connect()
    const ended = new Promise<never>((_, reject) => {
      client.once('error', reject).once('end', () => reject(new Error('the connection has ended')))
    })
    // It may end before anybody waits for it.
    ended.catch(() => {})
    const closed = new Promise<void>((resolve) => closing.addEventListener('abort', () => resolve(), { once: true }))
    try {
      client.on('notification', ({ payload }) => this.advance(Number(payload)))
      await client.query(`LISTEN remuda_${schema}`)
      // What was committed before the server knew that somebody listens was not announced.
      this.advance(await reader.headOnce())
      listening()
      if (!closing.aborted) await Promise.race([ended, closed])
    } finally {
      await client.end().catch(() => {})
    }
  }

  async #poll(): Promise<void> {
    const { clock, closing, pollMs, reader } = this.#parts
    while (!closing.aborted) {
      // Who listens says aloud when the server can not be reached; asking in vain is no more news than that.
      if (this.news.followers > 0)
        await reader.headOnce().then(
          (head) => this.advance(head),
          () => {},
        )
      await clock.sleep(pollMs, closing)
    }
  }
}
