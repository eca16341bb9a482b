import { NameCache } from './nameCache.ts'
import { NameIndex } from './nameIndex.ts'
import type { HeadRow, HeadsTable } from './headsTable.ts'

/** Streams whose heads stay in memory, at about 150 bytes each. Colder ones are looked up in the table. */
const streamsInMemoryMax = 500_000

// A head is four numbers side by side, so that looking one up misses the processor's cache only once.
const [noAt, versionAt, positionAt, savedAt, width] = [0, 1, 2, 3, 4] as const

/**
 * Where every stream ends: its number, version and last position, and the last position that the table knows. A head
 * is named by its slot, which is good until the end of the turn.
 */
export class Heads {
  readonly #table: HeadsTable
  readonly #max: number
  readonly #index: NameIndex
  readonly #names = new NameCache()
  readonly #free: number[] = []
  #cells = new Float64Array(1_024 * width)
  #used = 0
  #count = 0
  #lastNo: number
  /** Whether every stream of the store is in memory, so that an unknown name needs no look-up. */
  #complete: boolean

  /** @param seed any number, for the index of names */
  constructor(table: HeadsTable, seed: number, max = streamsInMemoryMax) {
    this.#index = new NameIndex(seed)
    this.#table = table
    this.#max = max
    this.#lastNo = table.lastNo()
    this.#complete = this.#lastNo <= max
    for (const row of table.newest(this.#complete ? max : Math.floor(max / 2))) this.#keep(row)
  }

  /** The slot of a stream's head; -1 when there is no such stream. */
  find(stream: string): number {
    const slot = this.#index.find(stream)
    if (slot >= 0) return slot
    const row = this.#complete ? undefined : this.#table.find(stream)
    return row === undefined ? -1 : this.#keep(row)
  }

  no(slot: number): number {
    return this.#cells[slot * width + noAt] ?? 0
  }

  version(slot: number): number {
    return this.#cells[slot * width + versionAt] ?? 0
  }

  position(slot: number): number {
    return this.#cells[slot * width + positionAt] ?? 0
  }

  move(slot: number, version: number, position: number): void {
    this.#cells[slot * width + versionAt] = version
    this.#cells[slot * width + positionAt] = position
  }

  /** The name behind the number that a row holds. */
  nameOf(no: number): string {
    const known = this.#names.get(no)
    if (known !== undefined) return known
    const name = this.#table.nameOf(no)
    this.#names.set(no, name)
    return name
  }

  /** Starts a stream, within the transaction of its first event. */
  create(name: string): number {
    const no = ++this.#lastNo
    this.#table.insert(no, name)
    return this.#keep([no, name, 0, 0])
  }

  /** Takes back the last `create`, after its transaction was rolled back. */
  uncreate(slot: number): void {
    this.#drop(slot)
    this.#lastNo--
  }

  /** The slots of heads that the table does not know as they are. */
  moved(): number[] {
    const moved = []
    for (let slot = 0; slot < this.#used; slot++) {
      if (this.position(slot) > (this.#cells[slot * width + savedAt] ?? 0)) moved.push(slot)
    }
    return moved
  }

  /** Notes that the table knows this head as it is. */
  saved(slot: number): void {
    this.#cells[slot * width + savedAt] = this.position(slot)
  }

  get inMemory(): number {
    return this.#count
  }

  get crowded(): boolean {
    return this.#count > this.#max
  }

  /** Lets go of the half that has been quiet longest, of what the table knows. */
  evict(): void {
    const positions = this.#cells.subarray(0, this.#used * width).filter((_, index) => index % width === positionAt)
    const middle = positions.sort()[positions.length >> 1] ?? 0
    this.#complete = false
    for (let slot = 0; slot < this.#used; slot++) {
      const at = slot * width
      if (
        this.#cells[at + noAt] !== 0 &&
        this.position(slot) <= middle &&
        this.position(slot) === this.#cells[at + savedAt]
      )
        this.#drop(slot)
    }
  }

  #keep([no, name, version, position]: HeadRow): number {
    const slot = this.#free.pop() ?? this.#used++
    if (slot * width === this.#cells.length) {
      const cells = new Float64Array(this.#cells.length * 2)
      cells.set(this.#cells)
      this.#cells = cells
    }
    this.#cells.set([no, version, position, position], slot * width)
    this.#index.add(name, slot)
    this.#count++
    this.#names.set(no, name)
    return slot
  }

  #drop(slot: number): void {
    const no = this.no(slot)
    this.#index.remove(slot)
    this.#count--
    this.#names.forget(no)
    this.#cells.fill(0, slot * width, slot * width + width)
    this.#free.push(slot)
  }
}
