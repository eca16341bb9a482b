import { eventSubject } from '#contracts/subjects.ts'
import { backoffMs } from './backoff.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { EventStore } from './store/store.ts'

const checkpointName = 'relay'
const backoff = { baseMs: 50, delayMaxMs: 5_000 }

export interface RelayOptions {
  readonly store: EventStore
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** How often the checkpoint is saved; after a crash, events of that long are published again. */
  readonly checkpointMs?: number
  /** Failures of the store in a row, without a single page between them, before the relay gives up. */
  readonly failuresMax?: number
}

/**
 * Carries every event from the store to the bus, in order and at least once: the only thing that publishes events.
 * What it is late with is missed by nobody, since our own consumers look into the store as well.
 */
export const startRelay = (options: RelayOptions): Relay => new Relay(options)

export class Relay implements AsyncDisposable {
  /** Resolves when the relay has stopped: with the fault that made it give up, or null when it was closed. */
  readonly ended: Promise<Error | null>
  readonly #options: Required<RelayOptions>
  readonly #stop = new AbortController()
  #position = 0
  #savedPosition = 0
  #savedAtMs: number
  #failures = 0

  constructor(options: RelayOptions) {
    this.#options = { checkpointMs: 1_000, failuresMax: 10, ...options }
    this.#savedAtMs = options.clock.steadyMs()
    this.ended = this.#run()
  }

  /** The position of the last event that was published. */
  get position(): number {
    return this.#position
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.ended
  }

  async #run(): Promise<Error | null> {
    const { clock, log, failuresMax } = this.#options
    while (!this.#stop.signal.aborted) {
      try {
        await this.#carry()
      } catch (error) {
        this.#failures += 1
        log.error({ error, failures: this.#failures, position: this.#position }, 'the relay cannot read the store')
        if (this.#failures >= failuresMax) return error instanceof Error ? error : new Error(String(error))
        await clock.sleep(backoffMs(clock, this.#failures, backoff), this.#stop.signal)
      }
    }
    await this.#saveCheckpoint().catch((error: unknown) => log.warn({ error }, 'the relay kept no checkpoint'))
    return null
  }

  async #carry(): Promise<void> {
    const { store, bus, clock, checkpointMs } = this.#options
    if (this.#position === 0) this.#position = this.#savedPosition = await store.loadCheckpoint(checkpointName)
    for await (const page of store.follow(this.#position, this.#stop.signal)) {
      for (const event of page) bus.publish(eventSubject(event.meta.stream), event)
      this.#position = page.at(-1)!.meta.position
      this.#failures = 0
      if (clock.steadyMs() - this.#savedAtMs >= checkpointMs) await this.#saveCheckpoint()
    }
    if (!this.#stop.signal.aborted) throw new Error('the store stopped telling of new events')
  }

  async #saveCheckpoint(): Promise<void> {
    if (this.#position === this.#savedPosition) return
    this.#savedPosition = this.#position
    this.#savedAtMs = this.#options.clock.steadyMs()
    await this.#options.store.saveCheckpoint(checkpointName, this.#position)
  }
}
