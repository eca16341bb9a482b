import type { Log } from '#libs/log.ts'
import type { EventStore } from '#libs/store/store.ts'
import type { Take, Work } from './leases.ts'

/** What the log says when this process begins the work of a partition: who does what can be read from it. */
export const begunMessage = 'the work of a partition is done here from now on'

export interface DutiesOptions {
  readonly service: string
  readonly take: Take
  readonly store: EventStore
  readonly log: Log
}

interface Duty {
  readonly token: Promise<number>
  /** Null when it could not be begun. */
  readonly work: Promise<Work | null>
}

/** The partitions whose work this process does: begun, going on, given up, or lost. */
export class Duties {
  readonly #options: DutiesOptions
  readonly #duties = new Map<number, Duty>()
  readonly #failure = Promise.withResolvers<unknown>()

  constructor(options: DutiesOptions) {
    this.#options = options
  }

  /** Resolves with the first fault of the work that is done here. */
  get failure(): Promise<unknown> {
    return this.#failure.promise
  }

  held(): readonly number[] {
    return [...this.#duties.keys()].sort((a, b) => a - b)
  }

  /** Resolves when everything that was taken is begun. */
  async started(): Promise<void> {
    await Promise.all([...this.#duties.values()].map(({ work }) => work))
  }

  /** Begins the work of partitions, without waiting for it: signs of life must go on meanwhile. */
  take(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const token = this.#options.store.raiseFence(this.#fence(partition))
      this.#duties.set(partition, { token, work: this.#begin(partition, token) })
    }
  }

  /** Gives partitions up in good order: resolves when their work has ended. */
  async giveUp(partitions: readonly number[]): Promise<void> {
    await Promise.all(partitions.map((partition) => this.#end(partition, (work) => work[Symbol.asyncDispose]())))
  }

  giveUpAll(): Promise<void> {
    return this.giveUp(this.held())
  }

  /** Lets go of partitions that other processes have. */
  async abandon(isLost: (partition: number) => boolean): Promise<void> {
    const { service, log } = this.#options
    const lost = this.held().filter(isLost)
    if (lost.length > 0)
      log.warn({ service, partitions: lost }, 'another process does this work by now; it is let go of here')
    await Promise.all(
      lost.map((partition) => this.#end(partition, (work) => work.abandon?.() ?? work[Symbol.asyncDispose]())),
    )
  }

  /** Asks the store, where nobody else can say, whether other processes have come for what is done here. */
  async abandonWhatOthersHave(): Promise<void> {
    const { store, log, service } = this.#options
    const lost = new Set<number>()
    for (const [partition, { token }] of this.#duties) {
      try {
        if ((await store.fence(this.#fence(partition))) > (await token)) lost.add(partition)
      } catch (error) {
        // Nothing can be stored behind the fence meanwhile, so nothing can go wrong by waiting.
        log.debug({ service, partition, error }, 'the fence of a partition cannot be read')
      }
    }
    await this.abandon((partition) => lost.has(partition))
  }

  async #begin(partition: number, token: Promise<number>): Promise<Work | null> {
    const { service, take, store, log } = this.#options
    try {
      const work = await take({ service, partition, store: store.fenced(this.#fence(partition), await token) })
      void work.failure.then(this.#failure.resolve)
      log.info({ service, partition }, begunMessage)
      return work
    } catch (error) {
      log.error({ service, partition, error }, 'the work of a partition could not be begun')
      this.#failure.resolve(error)
      return null
    }
  }

  async #end(partition: number, how: (work: Work) => PromiseLike<void>): Promise<void> {
    const { service, log } = this.#options
    try {
      const work = await this.#duties.get(partition)?.work
      if (work) await how(work)
    } catch (error) {
      log.warn({ service, partition, error }, 'the work of a partition did not end well')
    } finally {
      this.#duties.delete(partition)
    }
  }

  #fence(partition: number): string {
    return `${this.#options.service}.${partition}`
  }
}
