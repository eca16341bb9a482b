import type { DatabaseSync } from 'node:sqlite'
import type { Recorded } from '#contracts/message.ts'
import { startConsumer, type Consumer, type ConsumerOptions } from './consume.ts'
import type { Log } from './log.ts'
import { ViewFault, type Projection } from './projection.ts'

/** Writes all or nothing. */
export function transact(database: DatabaseSync, write: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    write()
    database.exec('COMMIT')
  } catch (error) {
    // SQLite has ended the transaction by itself when the disk is full.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Views that follow the store together: each event is read once, each batch is one transaction. */
export class ViewGroup implements AsyncDisposable {
  readonly #database: DatabaseSync
  readonly #log: Log
  readonly #members: Set<Projection>
  readonly #consumer: Consumer
  readonly #fault = Promise.withResolvers<Error>()

  constructor(
    database: DatabaseSync,
    members: readonly Projection[],
    options: Omit<ConsumerOptions, 'after' | 'handle'>,
  ) {
    this.#database = database
    this.#log = options.log
    this.#members = new Set(members)
    const after = Math.min(...members.map(({ position }) => position))
    this.#consumer = startConsumer({ ...options, after, handle: (events) => this.#project(events) })
    void this.#consumer.failure.then(this.#fault.resolve)
  }

  /** Resolves with the first fault that stopped one of the views, or all of them. */
  get failure(): Promise<Error> {
    return this.#fault.promise
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  async reached(member: Projection, position: number, timeoutMs: number): Promise<boolean> {
    if (member.position >= position) return true
    if (!this.#members.has(member)) return false
    await this.#consumer.reached(position, timeoutMs)
    return member.position >= position
  }

  leave(member: Projection): void {
    this.#members.delete(member)
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#consumer[Symbol.asyncDispose]()
  }

  #project(events: readonly Recorded[]): void {
    for (const member of this.#members) this.#fold(member, events)
    try {
      transact(this.#database, () => {
        for (const member of this.#members) member.write()
      })
    } catch (error) {
      for (const member of this.#members) member.undone()
      throw error
    }
    for (const member of this.#members) member.committed()
  }

  /** A view that cannot fold an event stands still in front of it and says so; the others go on. */
  #fold(member: Projection, events: readonly Recorded[]): void {
    try {
      member.fold(events)
    } catch (error) {
      member.undone()
      if (!(error instanceof ViewFault)) throw error
      this.#members.delete(member)
      this.#log.error({ view: member.view.name, error }, 'a view stands still: it cannot fold an event')
      this.#fault.resolve(error)
    }
  }
}
