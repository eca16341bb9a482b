import type { Message, Recorded } from '#contracts/message.ts'
import type { Ask } from './ask.ts'
import { parkedRetrySubject } from '#contracts/subjects.ts'
import type { Bus, Subscription } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import { startConsumer, type Consumer } from './consume.ts'
import type { DeliveryLimits, Request } from './deliver.ts'
import { Dispatch } from './dispatch.ts'
import type { Log } from './log.ts'
import type { EventStore } from './store/store.ts'

/**
 * What follows from what: a pure fold of what this service knows of others, and a pure reaction to each fact, which
 * returns requests and sends nothing. `evolve` may change `known` in place: the runner owns it, and starts from a copy.
 */
export interface Reactor<Known, Fact extends Message> {
  /** Kebab-case with a version, as in `automatic-deployments.v1`; it is in every command id, so it is never reused. */
  readonly name: string
  readonly observes: readonly Fact['type'][]
  readonly initial: Known
  evolve(known: Known, fact: Recorded<Fact>): Known
  /** @param known what is known with the fact itself folded in */
  react(known: Known, fact: Recorded<Fact>): readonly Request[]
}

export interface ReactorOptions<Known, Fact extends Message> {
  readonly reactor: Reactor<Known, Fact>
  readonly store: EventStore
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly ask: Ask
  readonly delivery?: DeliveryLimits
  readonly idleMs?: number
  readonly batchMax?: number
}

/**
 * Runs a reactor over the whole store: up to its checkpoint it only learns, beyond it reacts. Requests that follow from
 * one stream are sent in order, those of different streams side by side. The checkpoint never passes an event that is
 * neither answered nor parked, so a crash repeats requests, which their ids make harmless. An event whose requests fail
 * again and again is parked with the reason; the events behind it go on, also those of the same stream.
 */
export const startReactor = <Known, Fact extends Message>(
  options: ReactorOptions<Known, Fact>,
): ReactorRun<Known, Fact> => new ReactorRun(options)

export class ReactorRun<Known, Fact extends Message> implements AsyncDisposable {
  readonly #options: ReactorOptions<Known, Fact>
  readonly #observed: ReadonlySet<string>
  readonly #dispatch: Dispatch
  readonly #consumer: Consumer
  readonly #retries: Subscription
  readonly #failure = Promise.withResolvers<Error>()
  #known: Known
  // Where the last run left off; null until the store has told.
  #reactAfter: number | null = null

  constructor(options: ReactorOptions<Known, Fact>) {
    const { reactor, store, bus, clock, log, idleMs = 1_000, batchMax = 5_000 } = options
    this.#options = options
    this.#observed = new Set(reactor.observes)
    this.#known = structuredClone(reactor.initial)
    this.#dispatch = new Dispatch({ ...options, name: reactor.name })
    const handle = (events: readonly Recorded[]) => this.#handle(events)
    this.#consumer = startConsumer({ name: reactor.name, store, bus, clock, log, after: 0, idleMs, batchMax, handle })
    this.#retries = bus.respond(parkedRetrySubject(reactor.name), ({ payload }) =>
      this.retryParked((payload as { position: number }).position),
    )
    void Promise.race([this.#consumer.failure, this.#dispatch.failure]).then(this.#failure.resolve)
  }

  get name(): string {
    return this.#options.reactor.name
  }

  /** What the reactor knows now, to be read and not changed. */
  get known(): Known {
    return this.#known
  }

  /** The position up to which every event was answered or parked. */
  get position(): number {
    return this.#dispatch.position
  }

  /** Resolves with the fault that made the reactor give up; never, as long as it goes on or was closed. */
  get failure(): Promise<Error> {
    return this.#failure.promise
  }

  /** Whether everything up to a position was answered or parked within `timeoutMs`. */
  reached(position: number, timeoutMs: number): Promise<boolean> {
    return this.#dispatch.reached(position, timeoutMs)
  }

  /**
   * Tries a parked event once more, with what is known now. True when its requests were answered and it is parked no
   * more; false when it failed again and stays, with the new reason.
   * @throws RangeError when this reactor has parked nothing at the position
   */
  async retryParked(position: number): Promise<boolean> {
    const { reactor, store } = this.#options
    const parked = (await store.listParked()).find((one) => one.reactor === this.name && one.position === position)
    const [event] = parked ? await store.readAll(position - 1, 1) : []
    if (!parked || event?.meta.position !== position)
      throw new RangeError(`${this.name} has parked nothing at position ${position}`)
    return this.#dispatch.retry(event, parked.attempts, () => reactor.react(this.#known, event as Recorded<Fact>))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#retries.stop()
    this.#dispatch.stop()
    await this.#consumer[Symbol.asyncDispose]()
    await this.#dispatch[Symbol.asyncDispose]()
  }

  async #handle(events: readonly Recorded[]): Promise<void> {
    this.#reactAfter ??= await this.#dispatch.loadCheckpoint()
    for (const event of events) {
      if (this.#observed.has(event.type)) this.#take(event as Recorded<Fact>, this.#reactAfter)
      this.#dispatch.seen(event.meta.position)
      if (this.#dispatch.isFull) await this.#dispatch.room()
      if (this.#dispatch.isStopped) return
    }
  }

  #take(fact: Recorded<Fact>, reactAfter: number): void {
    const { reactor } = this.#options
    try {
      this.#known = reactor.evolve(this.#known, fact)
      if (fact.meta.position <= reactAfter) return
      const requests = reactor.react(this.#known, fact)
      if (requests.length > 0) this.#dispatch.send(fact, requests)
    } catch (error) {
      // The reactor itself is at fault, so trying again would not help.
      if (fact.meta.position > reactAfter) this.#dispatch.setAside(fact, error)
    }
  }
}
