import { createHash } from 'node:crypto'
import { News } from '#libs/store/follow.ts'
import type { MemoryDisk } from '#libs/store/memoryDisk.ts'
import type { AnyEvent } from './events.ts'

/** Hears of every append at the moment it happens, and keeps the fingerprint of all that happened and when. */
export class Trace extends News {
  readonly #disk: MemoryDisk
  readonly #nowMs: () => number
  readonly #hash = createHash('sha256')
  readonly #onAppend: (events: readonly AnyEvent[]) => void
  /** By position: the true time of each event. */
  readonly times: number[] = []
  readonly #nextAppend: (() => void)[] = []

  constructor(disk: MemoryDisk, nowMs: () => number, onAppend: (events: readonly AnyEvent[]) => void) {
    super()
    this.#disk = disk
    this.#nowMs = nowMs
    this.#onAppend = onAppend
    disk.openings.add(this)
  }

  /** When something last happened, in true time. */
  get lastMs(): number {
    return this.times.at(-1) ?? 0
  }

  onNextAppend(act: () => void): void {
    this.#nextAppend.push(act)
  }

  override wake(): void {
    const events = this.#disk.events.slice(this.times.length) as AnyEvent[]
    const nowMs = this.#nowMs()
    for (const { type, meta } of events) {
      this.times.push(nowMs)
      this.#hash.update(`${type} ${meta.stream} ${meta.version} ${nowMs}\n`)
    }
    this.#onAppend(events)
    for (const act of this.#nextAppend.splice(0)) act()
  }

  /** The same for two runs in which the same happened at the same times. */
  fingerprint(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
