import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import { sealWritten, type Batch, type Stored } from './batch.ts'
import { asFault } from './faults.ts'
import type { Fences } from './fences.ts'
import type { Heads } from './heads.ts'
import type { HeadsSaver } from './headsSaver.ts'
import type { Types } from './types.ts'

const queuedWorkMax = 100_000
const queuedCharsMax = 256 * 1_048_576
const batchWorkMax = 4_096
const batchCharsMax = 8 * 1_048_576

/** Something to be written: an append, a checkpoint, a snapshot. */
export interface Work {
  readonly chars: number
  write(batch: Batch): void
  done(): void
  fail(fault: StoreFault): void
}

/** What became durable together: the events after one position up to another. */
export interface Commit {
  readonly stored: readonly Stored[]
  readonly after: number
  readonly upTo: number
  readonly chars: number
}

export interface WriterParts {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly heads: Heads
  readonly saver: HeadsSaver
  readonly types: Types
  readonly fences: Fences
  /** Where the store ends, and the seal it ends with. */
  readonly position: number
  readonly seal: Uint8Array
  /** Hears of every commit that stored events. */
  readonly committed: (commit: Commit) => void
}

/**
 * The only writer. What comes in one turn of the event loop is committed together, with one fsync, when the turn ends.
 * SQLite blocks the thread meanwhile, so that nobody ever reads what is not committed.
 */
export class Writer {
  readonly #parts: WriterParts
  readonly #statements
  #position: number
  #seal: Uint8Array
  #queue: Work[] = []
  #queuedChars = 0
  #scheduled = false
  #broken: StoreFault | null = null

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#position = parts.position
    this.#seal = parts.seal
    const { db } = parts
    this.#statements = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      insert: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)'),
      setSeal: db.prepare('UPDATE events SET seal = ? WHERE position = ?'),
    }
  }

  get position(): number {
    return this.#position
  }

  /** Takes work in; it is done or has failed before the next turn is over. Throws `StoreFault` when too much waits. */
  enqueue(work: Work): void {
    if (this.#broken !== null) throw this.#broken
    if (this.#queue.length >= queuedWorkMax || this.#queuedChars + work.chars > queuedCharsMax)
      throw new StoreFault('The event store can not keep up: too much waits to be written. Try again in a moment.')
    this.#queuedChars += work.chars
    this.#queue.push(work)
    if (!this.#scheduled) this.#schedule()
  }

  /** Writes what waits and what was put off, now. */
  finish(): void {
    while (this.#queue.length > 0) this.#commit(this.#takeBatch())
    this.#commit([{ chars: 0, write: ({ position }) => this.#parts.saver.saveAll(position), done() {}, fail() {} }])
  }

  #schedule(): void {
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#queue.length > 0) this.#commit(this.#takeBatch())
      if (this.#queue.length > 0 && !this.#scheduled) this.#schedule()
    })
  }

  #takeBatch(): readonly Work[] {
    let chars = 0
    let count = 0
    for (const work of this.#queue) {
      chars += work.chars
      if (count > 0 && (count === batchWorkMax || chars > batchCharsMax)) break
      count++
    }
    const batch = count === this.#queue.length ? this.#queue : this.#queue.splice(0, count)
    if (batch === this.#queue) this.#queue = []
    for (const work of batch) this.#queuedChars -= work.chars
    return batch
  }

  #commit(works: readonly Work[]): void {
    const { saver, committed } = this.#parts
    const { begin, commit } = this.#statements
    const batch = this.#newBatch()
    try {
      begin.run()
      for (const work of works) work.write(batch)
      sealWritten(batch)
      saver.saveSome(batch.position)
      commit.run()
    } catch (error) {
      this.#fail(works, batch, asFault(error, 'writing'))
      return
    }
    const { stored, position, seal, sealedChars } = batch
    const after = this.#position
    this.#position = position
    this.#seal = seal
    saver.settle(true)
    for (const work of works) work.done()
    if (stored.length > 0) committed({ stored, after, upTo: position, chars: sealedChars })
  }

  #newBatch(): Batch {
    const { clock, heads, types, fences } = this.#parts
    const { insert, setSeal } = this.#statements
    const [position, seal] = [this.#position, this.#seal]
    const shared = { clock, heads, types, fences, insert, setSeal, at: clock.wallMs() }
    const end = { position, seal, sealedPosition: position, sealedChars: 0 }
    return { ...shared, ...end, text: '', stored: [], before: [] }
  }

  #fail(works: readonly Work[], batch: Batch, fault: StoreFault): void {
    try {
      this.#undo(batch)
    } catch (cause) {
      // What is in memory may not be what is on disk any more, so nothing may be decided by it.
      this.#broken = new StoreFault('A write failed and could not be taken back. Restart Remuda.', { cause })
    }
    for (const work of works) work.fail(fault)
  }

  #undo({ heads, types, before }: Batch): void {
    if (this.#parts.db.isTransaction) this.#statements.rollback.run()
    for (let at = before.length - 3; at >= 0; at -= 3) {
      const [slot = 0, version = 0, position = 0] = before.slice(at, at + 3)
      if (version === 0) heads.uncreate(slot)
      else heads.move(slot, version, position)
    }
    types.reload()
    this.#parts.saver.settle(false)
  }
}

/** Resolves when all else that is to be done in this turn of the event loop has been done. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
