import type { Recorded } from '#contracts/message.ts'
import { areNext } from '../limits.ts'
import type { StoreFault } from '../store.ts'
import { sealWritten, type Batch } from './batch.ts'
import { sealText } from './seal.ts'
import type { Work } from './writer.ts'

/** One call of `adopt`, from the queue to its answer. */
export class Adoption implements Work {
  readonly texts: readonly string[]
  readonly chars: number
  /** Resolves once the answer is durable. */
  readonly answer: Promise<number | 'conflict'>
  outcome: readonly Recorded[] | 'conflict' = 'conflict'
  readonly #events: readonly Recorded[]
  #resolve!: (outcome: number | 'conflict') => void
  #reject!: (fault: StoreFault) => void

  constructor(events: readonly Recorded[], texts: readonly string[]) {
    this.#events = events
    this.texts = texts
    this.chars = texts.reduce((sum, text) => sum + text.length, 0)
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** A seal covers events of one time, so each run of events with the same time gets its own, as in its first store. */
  write(batch: Batch): void {
    const { heads, at } = batch
    if (!areNext(this.#events, (stream) => versionOf(heads, stream))) return
    sealWritten(batch)
    this.outcome = this.#events.map((event, index) => {
      if (event.meta.at !== batch.at) sealWritten(batch)
      batch.at = event.meta.at
      return insert(batch, event, this.texts[index] as string)
    })
    sealWritten(batch)
    batch.at = at
    batch.stored.push(this)
  }

  done(): void {
    this.#resolve(this.outcome === 'conflict' ? 'conflict' : (this.outcome.at(-1)?.meta.position ?? 0))
  }

  fail(fault: StoreFault): void {
    this.#reject(fault)
  }
}

function versionOf(heads: Batch['heads'], stream: string): number {
  const slot = heads.find(stream)
  return slot < 0 ? 0 : heads.version(slot)
}

function insert(batch: Batch, { type, data, meta }: Recorded, text: string): Recorded {
  const { heads, types, at } = batch
  const { id, stream, version, actor, commandId, correlationId, causationId } = meta
  const known = heads.find(stream)
  const slot = known < 0 ? heads.create(stream) : known
  const prev = heads.position(slot)
  batch.before.push(slot, version - 1, prev)
  const position = ++batch.position
  const origin = JSON.stringify([id, actor, commandId, correlationId, causationId])
  batch.insert.run(position, heads.no(slot), version, prev, types.noOf(type), at, text, origin)
  batch.text += sealText(stream, version, type, text, origin)
  heads.move(slot, version, position)
  return { type, data, meta: { ...meta, position } }
}
