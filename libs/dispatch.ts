import type { Recorded } from '#contracts/message.ts'
import { backoffMs } from './backoff.ts'
import {
  deliver,
  deliveryDefaults,
  Undelivered,
  type DeliveryLimits,
  type DeliveryOptions,
  type Request,
} from './deliver.ts'
import { Serial } from './serial.ts'
import type { EventStore } from './store/store.ts'
import { Waiters } from './waiters.ts'

const inFlightMax = 256
const checkpointMs = 250
const graceMs = 1_000
const storeBackoff = { baseMs: 50, delayMaxMs: 5_000, failuresMax: 10 }

export interface DispatchOptions extends DeliveryOptions {
  readonly store: EventStore
  readonly delivery?: DeliveryLimits
}

/**
 * Sends what a reactor asks for, knows which events are still under way, and keeps the checkpoint in front of the first
 * of them. The checkpoint is saved a moment later than it moves: what a crash makes it forget is only sent again.
 */
export class Dispatch implements AsyncDisposable {
  readonly #options: DispatchOptions
  readonly #limits: DeliveryLimits
  readonly #serial = new Serial(inFlightMax)
  readonly #waiters: Waiters
  readonly #stop = new AbortController()
  readonly #failure = Promise.withResolvers<Error>()
  // By position, in order: the first is the one the checkpoint stands in front of.
  readonly #inFlight = new Map<number, Promise<void>>()
  #seenPosition = 0
  #savedPosition = 0
  #saveTimer: { cancel(): void } | null = null
  #saving: Promise<void> = Promise.resolve()
  #gaveRoom = Promise.withResolvers<void>()

  constructor(options: DispatchOptions) {
    this.#options = options
    this.#limits = options.delivery ?? deliveryDefaults
    this.#waiters = new Waiters(options.clock, 0)
  }

  /** Resolves with the fault of the store that keeps an event from being parked. */
  get failure(): Promise<Error> {
    return this.#failure.promise
  }

  /** Everything up to here is answered or parked. */
  get position(): number {
    const [first] = this.#inFlight.keys()
    return first === undefined ? this.#seenPosition : first - 1
  }

  get isFull(): boolean {
    return this.#inFlight.size >= inFlightMax
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  reached(position: number, timeoutMs: number): Promise<boolean> {
    return this.#waiters.reached(position, timeoutMs)
  }

  async loadCheckpoint(): Promise<number> {
    this.#savedPosition = await this.#options.store.loadCheckpoint(this.#options.name)
    return this.#savedPosition
  }

  /** Resolves when an event is no longer under way, or on stopping. */
  room(): Promise<void> {
    return this.#gaveRoom.promise
  }

  /** An event was looked at, and whatever follows from it was handed over. */
  seen(position: number): void {
    this.#seenPosition = position
    this.#moved()
  }

  send(event: Recorded, requests: readonly Request[]): void {
    this.#track(event, () => deliver(this.#options, this.#limits, event, requests, this.#stop.signal))
  }

  /** Parks an event that the reactor itself cannot handle. */
  setAside(event: Recorded, error: unknown): void {
    this.#track(event, () => Promise.reject(new Undelivered(1, error)))
  }

  /** One try of a parked event. */
  async retry(event: Recorded, attemptsBefore: number, react: () => readonly Request[]): Promise<boolean> {
    const once = { ...this.#limits, attemptsMax: 1, deadlineMs: 0 }
    try {
      const answered = await deliver(this.#options, once, event, react(), this.#stop.signal)
      if (answered) await this.#options.store.unpark(this.#options.name, event.meta.position)
      return answered
    } catch (error) {
      await this.#park(event, error, attemptsBefore)
      return false
    }
  }

  /** Sends nothing more; what has no answer is left for the next run. */
  stop(): void {
    this.#stop.abort()
    this.#gaveRoom.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    this.#saveTimer?.cancel()
    this.#waiters.close()
    // What was sent may still be answered; then it need not be sent again.
    const graceOver = new AbortController()
    const answered = Promise.all(this.#inFlight.values())
    await Promise.race([answered, this.#options.clock.sleep(graceMs, graceOver.signal)])
    graceOver.abort()
    await this.#saveCheckpoint()
  }

  #track(event: Recorded, work: () => Promise<boolean>): void {
    const { stream, position } = event.meta
    const done = this.#serial.run(stream, work)?.catch((error: unknown) => this.#parkUntilStored(event, error))
    if (!done) throw new Error(`${stream}: more events are under way than the limit allows`)
    const settled = done.then((isDone) => {
      if (!isDone) return
      this.#inFlight.delete(position)
      this.#gaveRoom.resolve()
      this.#gaveRoom = Promise.withResolvers()
      this.#moved()
    })
    this.#inFlight.set(position, settled)
  }

  #moved(): void {
    this.#waiters.advance(this.position)
    if (this.#saveTimer !== null || this.#stop.signal.aborted) return
    this.#saveTimer = this.#options.clock.timer(checkpointMs, () => {
      this.#saveTimer = null
      this.#saving = this.#saveCheckpoint()
    })
  }

  async #saveCheckpoint(): Promise<void> {
    await this.#saving
    const { name, store, log } = this.#options
    const { position } = this
    if (position <= this.#savedPosition) return
    try {
      await store.saveCheckpoint(name, position)
      this.#savedPosition = position
    } catch (error) {
      log.warn({ reactor: name, error, position }, 'a checkpoint could not be saved')
    }
  }

  async #park(event: Recorded, error: unknown, attemptsBefore: number): Promise<void> {
    const { name: reactor, store, clock, log } = this.#options
    const { stream, position } = event.meta
    const reason = error instanceof Error ? error.message : String(error)
    const attempts = attemptsBefore + (error instanceof Undelivered ? error.attempts : 1)
    log.error({ reactor, stream, position, type: event.type, attempts, error }, 'an event was parked')
    await store.park({ reactor, position, stream, type: event.type, reason, attempts, parkedAt: clock.wallMs() })
  }

  /** An event may only be passed over once it is where an operator can see it. */
  async #parkUntilStored(event: Recorded, error: unknown): Promise<boolean> {
    const { clock, log, name } = this.#options
    for (let failures = 1; !this.#stop.signal.aborted; failures++) {
      try {
        await this.#park(event, error, 0)
        return true
      } catch (fault) {
        log.error({ reactor: name, error: fault, failures }, 'an event could not be parked')
        if (failures === storeBackoff.failuresMax) this.#failure.resolve(faultOf(fault))
        await clock.sleep(backoffMs(clock, failures, storeBackoff), this.#stop.signal)
      }
    }
    return false
  }
}

const faultOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))
