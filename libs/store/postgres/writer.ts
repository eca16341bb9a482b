import { StoreFault } from '../store.ts'
import type { Append } from './append.ts'
import { batchOf, type Batch } from './batch.ts'
import { Delivery, type DeliveryParts } from './delivery.ts'
import { asFault, isPassing, sqlStateOf } from './faults.ts'
import { patiently, type Patience } from './patience.ts'

const queuedAppendsMax = 100_000
const queuedCharsMax = 256 * 1_048_576

/**
 * Stores what was appended, one batch after another: all that comes in one turn of the event loop, or while the batch
 * before is on its way, goes in one round trip and is made durable by one commit.
 */
export class Writer {
  readonly #parts: DeliveryParts & Patience
  #queue: Append[] = []
  #queuedChars = 0
  #running: Promise<void> | null = null

  constructor(parts: DeliveryParts & Patience) {
    this.#parts = parts
  }

  /** Takes an append in, whose answer comes through it. Throws `StoreFault` when too much waits. */
  enqueue(append: Append): void {
    if (this.#queue.length >= queuedAppendsMax || this.#queuedChars + append.chars > queuedCharsMax)
      throw new StoreFault('The event store can not keep up: too much waits to be written. Try again in a moment.')
    this.#queue.push(append)
    this.#queuedChars += append.chars
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const batch = batchOf(this.#queue)
      this.#queue.splice(0, batch.appends.length)
      for (const { chars } of batch.appends) this.#queuedChars -= chars
      await this.#store(batch)
      // Those who were just answered append again in this turn: let them all come along.
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#running = null
  }

  async #store(batch: Batch): Promise<void> {
    const delivery = new Delivery(this.#parts, batch)
    try {
      await patiently(this.#parts, () => delivery.attempt())
    } catch (error) {
      if (isOfOneAppend(error) && !delivery.mayBeStored) return await this.#storeApart(batch, error)
      for (const append of batch.appends) append.fail(delivery.faultOf(error))
      // What could not be reached for so long is not waited for again by everybody in the queue.
      if (isPassing(error)) this.#failQueue(asFault(error, 'connecting'))
    }
  }

  /** One append that the server can not store must do no harm to its neighbours. */
  async #storeApart({ appends }: Batch, error: unknown): Promise<void> {
    const [first, ...others] = appends
    if (first !== undefined && others.length === 0) {
      if (lostTheRace(error)) first.conflict()
      else first.fail(asFault(error, `appending to ${first.stream}`))
      return
    }
    const middle = Math.ceil(appends.length / 2)
    await this.#storeInOrder(appends.slice(0, middle))
    await this.#storeInOrder(appends.slice(middle))
  }

  async #storeInOrder(appends: readonly Append[]): Promise<void> {
    for (let rest = appends; rest.length > 0;) {
      const batch = batchOf(rest)
      rest = rest.slice(batch.appends.length)
      await this.#store(batch)
    }
  }

  #failQueue(fault: StoreFault): void {
    const queue = this.#queue
    this.#queue = []
    this.#queuedChars = 0
    for (const append of queue) append.fail(fault)
  }
}

/** Class 22: a value no column takes; 23: a constraint; 54: more than the server can hold. */
const isOfOneAppend = (error: unknown) => /^(22|23|54)/.test(sqlStateOf(error) ?? '')

/** Somebody who does not take the lock, say by hand, stored the same version in the same moment. */
const lostTheRace = (error: unknown) => (error as { constraint?: string }).constraint === 'events_version_once'
