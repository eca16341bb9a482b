import type { MemoryDisk } from '#libs/store/memoryDisk.ts'
import type { Model } from '../model.ts'
import type { Asked } from '../office.ts'
import type { Truth } from '../truth.ts'

/** A rule of the design that did not hold, and whom it concerns. */
export interface Breach {
  readonly rule: string
  readonly ids: readonly string[]
  readonly detail: string
}

/** All that rules may look at. */
export interface Scene {
  readonly disk: MemoryDisk
  readonly model: Model
  readonly truth: Truth
  readonly book: readonly Asked[]
  readonly nowMs: () => number
  /** How much later than it really happened something may be known, in milliseconds: messages take time. */
  readonly lateMs: (environmentId: string) => number
}
