import type { Heads } from './heads.ts'
import type { HeadsTable } from './headsTable.ts'

/** So many events are read again at the next start, at most about, when this process does not end in order. */
const eventsUnsavedMax = 500_000
/** Heads that are saved with one batch of appends, so that none of these waits long for it. */
const headsPerBatchMax = 512

/** Writes the heads that moved to their table: some with each batch, once enough of them have, and all at the end. */
export class HeadsSaver {
  readonly #heads: Heads
  readonly #table: HeadsTable
  readonly #everyEvents: number
  #savedPosition: number
  #cycle: { readonly slots: number[]; readonly position: number } | null = null
  #batch: number[] = []

  constructor(heads: Heads, table: HeadsTable, position: number, everyEvents = eventsUnsavedMax) {
    this.#heads = heads
    this.#table = table
    this.#savedPosition = position
    this.#everyEvents = everyEvents
  }

  /** Saves what is due, within the transaction under way; to be followed by `settle`. */
  saveSome(position: number): void {
    if (this.#cycle !== null) this.#save(headsPerBatchMax)
    else if (position - this.#savedPosition >= this.#everyEvents || this.#heads.crowded) this.#start(position)
  }

  /** Saves all heads, within the transaction under way. */
  saveAll(position: number): void {
    this.#start(position)
    this.#save(Infinity)
  }

  #start(position: number): void {
    this.#cycle = { slots: this.#heads.moved().reverse(), position }
  }

  #save(most: number): void {
    const { slots, position } = this.#cycle ?? { slots: [], position: 0 }
    this.#batch = slots.splice(-Math.min(most, slots.length))
    for (const slot of this.#batch)
      this.#table.move(this.#heads.no(slot), this.#heads.version(slot), this.#heads.position(slot))
    if (slots.length === 0) this.#table.savedPosition(position)
  }

  /** Says how the transaction ended. One that was rolled back makes the cycle start again. */
  settle(committed: boolean): void {
    if (this.#cycle === null) return
    if (!committed) {
      this.#cycle = null
      this.#batch = []
      return
    }
    for (const slot of this.#batch) this.#heads.saved(slot)
    this.#batch = []
    if (this.#cycle.slots.length > 0) return
    this.#savedPosition = this.#cycle.position
    this.#cycle = null
    if (this.#heads.crowded) this.#heads.evict()
  }
}
