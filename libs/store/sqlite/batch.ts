import type { StatementSync } from 'node:sqlite'
import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import type { Fences } from './fences.ts'
import type { Heads } from './heads.ts'
import { sealAfter } from './seal.ts'
import type { Types } from './types.ts'

/** What was stored by one call, for those who follow; the texts are the data of its events. */
export interface Stored {
  readonly outcome: readonly Recorded[] | 'conflict'
  readonly texts: readonly string[]
}

/** What those share who write in one transaction. */
export interface Batch {
  readonly clock: Clock
  readonly heads: Heads
  readonly types: Types
  readonly fences: Fences
  readonly insert: StatementSync
  readonly setSeal: StatementSync
  /** The time of the events that are being written. */
  at: number
  /** The last position given so far. */
  position: number
  /** What is written and not sealed yet. */
  text: string
  /** The last seal, the position that carries it, and how much was sealed in this batch. */
  seal: Uint8Array
  sealedPosition: number
  sealedChars: number
  readonly stored: Stored[]
  /** How to put the heads back: slot, version and position, one after another. */
  readonly before: number[]
}

/** Seals what was written since the last seal; all of it has the same time. */
export function sealWritten(batch: Batch): void {
  const { text, at, position, setSeal } = batch
  if (text === '') return
  batch.seal = sealAfter(batch.seal, batch.sealedPosition + 1, at, text)
  setSeal.run(batch.seal, position)
  batch.sealedPosition = position
  batch.sealedChars += text.length
  batch.text = ''
}
