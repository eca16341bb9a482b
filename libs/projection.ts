import type { Recorded } from '#contracts/message.ts'
import { RowCache } from './rowCache.ts'
import type { AnyView } from './view.ts'
import type { KeptRow, ViewTable } from './viewTable.ts'

/** A view could not fold an event: a mistake in the view, which trying again does not mend. */
export class ViewFault extends Error {
  override readonly name = 'ViewFault'
}

interface Change {
  readonly before: KeptRow | undefined
  row: object | null
  position: number
}

export interface ProjectionOptions {
  /** The epoch of the store that the rows come from. */
  readonly epoch: number
  readonly rowsCachedMax: number
  /** A checkpoint without any changed row is saved only after so many events. */
  readonly checkpointEveryEvents: number
}

/**
 * One view being folded. Events go in by `fold`, and what they change gathers in memory, so that `write` writes each
 * row once however many of them changed it. Then `committed` or `undone` tells how the transaction went.
 */
export class Projection {
  readonly view: AnyView
  readonly #table: ViewTable
  readonly #options: ProjectionOptions
  readonly #observed: ReadonlySet<string>
  readonly #rows: RowCache<KeptRow>
  readonly #changes = new Map<string, Change>()
  readonly #written = new Map<string, KeptRow | undefined>()
  #position: number
  #savedPosition: number
  #foldedPosition: number
  // While every row there is has a place in the cache, a key that is not in it is new and need not be looked up.
  #holdsAll: boolean

  constructor(view: AnyView, table: ViewTable, options: ProjectionOptions) {
    this.view = view
    this.#table = table
    this.#options = options
    this.#observed = new Set(view.observes)
    this.#rows = new RowCache(options.rowsCachedMax)
    this.#position = this.#savedPosition = this.#foldedPosition = table.checkpoint
    this.#holdsAll = table.isEmpty()
  }

  /** The position up to which rows and tallies are committed. */
  get position(): number {
    return this.#position
  }

  get(key: string): object | undefined {
    return this.#find(key)?.row
  }

  /** Events at or before `position` change nothing. Throws a `ViewFault`. */
  fold(events: readonly Recorded[]): void {
    for (const event of events) {
      if (event.meta.position <= this.#position) continue
      if (this.#observed.has(event.type)) this.#foldEvent(event)
      this.#foldedPosition = event.meta.position
    }
  }

  /** Rows, tallies and checkpoint; inside a transaction. */
  write(): void {
    // In the order of the table, so that neighbours are written together; new rows come last, as they came.
    const inOrder = [...this.#changes].sort(
      ([, a], [, b]) => (a.before?.id ?? Infinity) - (b.before?.id ?? Infinity) || 0,
    )
    for (const [key, change] of inOrder) this.#written.set(key, this.#writeRow(key, change))
    if (this.view.tally) this.#writeTallies(this.view.tally)

    const unsaved = this.#foldedPosition - this.#savedPosition
    if (this.#changes.size === 0 && unsaved < this.#options.checkpointEveryEvents) return
    this.#table.saveCheckpoint(this.#foldedPosition, this.#options.epoch)
    this.#savedPosition = this.#foldedPosition
  }

  committed(): void {
    for (const [key, kept] of this.#written) {
      if (kept) this.#rows.set(key, kept)
      else this.#rows.delete(key)
    }
    this.#changes.clear()
    this.#written.clear()
    this.#position = this.#foldedPosition
  }

  undone(): void {
    this.#changes.clear()
    this.#written.clear()
    this.#foldedPosition = this.#position
    this.#savedPosition = Math.min(this.#savedPosition, this.#position)
  }

  /** Empties the view, to be folded from the first event; inside a transaction. */
  reset(): void {
    this.#table.clear()
    this.#table.saveCheckpoint(0, this.#options.epoch)
    this.#rows.clear()
    this.#changes.clear()
    this.#holdsAll = true
    this.#position = this.#savedPosition = this.#foldedPosition = 0
  }

  #foldEvent(event: Recorded): void {
    try {
      for (const key of this.view.keysOf(event)) this.#foldRow(key, event)
    } catch (cause) {
      const { stream, version } = event.meta
      const place = `${event.type} (${stream}, version ${version})`
      throw new ViewFault(`view ${this.view.name} cannot fold ${place}: ${String(cause)}`, { cause })
    }
  }

  #foldRow(key: string, fact: Recorded): void {
    const { position } = fact.meta
    const change = this.#changes.get(key)
    const before = change ? change.before : this.#find(key)
    const row = change ? (change.row ?? undefined) : before?.row
    const next = this.view.project(row, fact, key)
    if (next === undefined || next === row) return
    if (change) {
      change.row = next
      change.position = position
    } else if (next !== null || before) this.#changes.set(key, { before, row: next, position })
  }

  #find(key: string): KeptRow | undefined {
    const cached = this.#rows.get(key)
    if (cached || (this.#holdsAll && !this.#rows.forgot)) return cached
    const found = this.#table.find(key)
    if (found) this.#rows.set(key, found)
    return found
  }

  #writeRow(key: string, { before, row, position }: Change): KeptRow | undefined {
    if (row === null) {
      if (before) this.#table.remove(before.id)
      return undefined
    }
    return before ? this.#table.update(before, row, position) : this.#table.insert(key, row, position)
  }

  #writeTallies(tallyOf: (row: object) => string | null): void {
    const sums = new Map<string, number>()
    const add = (row: object | null | undefined, change: number) => {
      const tally = row ? tallyOf(row) : null
      if (tally !== null) sums.set(tally, (sums.get(tally) ?? 0) + change)
    }
    for (const { before, row } of this.#changes.values()) {
      add(before?.row, -1)
      add(row, 1)
    }
    for (const [tally, change] of sums) if (change !== 0) this.#table.count(tally, change)
  }
}
