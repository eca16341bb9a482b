import type { Checkpoint, EventStore, Parked } from './store.ts'

/** Where reactors stand in one store, on the way to where they stand in another one that gives other positions. */
export class Places {
  readonly #checkpoints: readonly Checkpoint[]
  readonly #parked: readonly Parked[]
  /** The positions to be found, in order, and how many of them were found. */
  readonly #wanted: readonly number[]
  #found = 0
  readonly #positions = new Map<number, number>()
  #last = { from: 0, to: 0 }

  constructor(checkpoints: readonly Checkpoint[], parked: readonly Parked[]) {
    this.#checkpoints = checkpoints
    this.#parked = parked
    const positions = new Set([...checkpoints, ...parked].map(({ position }) => position))
    this.#wanted = [...positions].toSorted((one, other) => one - other)
  }

  /** Hears of every event, in order: the position it had, and the one it has got. */
  pass(from: number, to: number): void {
    while ((this.#wanted[this.#found] ?? Infinity) < from) this.#find(this.#last.to)
    if (this.#wanted[this.#found] === from) this.#find(to)
    this.#last = { from, to }
  }

  /** Hears where the log ends: behind the last event there may be what is none. */
  end(head: number): void {
    while ((this.#wanted[this.#found] ?? Infinity) <= head) this.#find(this.#last.to)
  }

  /** Notes in the other store where everybody stands. To be called at the end. */
  async keepIn(store: EventStore): Promise<void> {
    for (const { name, position } of this.#checkpoints) await store.saveCheckpoint(name, this.#placeOf(position))
    for (const parked of this.#parked) await store.park({ ...parked, position: this.#placeOf(parked.position) })
  }

  #find(to: number): void {
    this.#positions.set(this.#wanted[this.#found] as number, to)
    this.#found++
  }

  /** What lies beyond the end is no position but a time, such as that of an observer's last sign of life. */
  #placeOf(position: number): number {
    return this.#positions.get(position) ?? position
  }
}
