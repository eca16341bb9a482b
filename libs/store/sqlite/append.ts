import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { StoreFault } from '../store.ts'
import type { Batch } from './batch.ts'
import { causeAt } from '../limits.ts'
import { causeText, metaText } from './rows.ts'
import { sealText } from './seal.ts'
import type { Work } from './writer.ts'

/** One call of `append`, from the queue to its answer. */
export class Append implements Work {
  readonly stream: string
  readonly expectedVersion: number
  readonly facts: readonly Message[]
  readonly texts: readonly string[]
  readonly chars: number
  readonly cause: Cause | readonly Cause[]
  /** Resolves once the answer is durable. */
  readonly answer: Promise<readonly Recorded[] | 'conflict'>
  outcome: readonly Recorded[] | 'conflict' = 'conflict'
  #resolve!: (outcome: readonly Recorded[] | 'conflict') => void
  #reject!: (fault: StoreFault) => void

  constructor(
    stream: string,
    expectedVersion: number,
    facts: readonly Message[],
    texts: readonly string[],
    cause: Cause | readonly Cause[],
  ) {
    this.stream = stream
    this.expectedVersion = expectedVersion
    this.facts = facts
    this.texts = texts
    let chars = 0
    for (const text of texts) chars += text.length
    this.chars = chars
    this.cause = cause
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** A conflict writes nothing at all: neither a row nor a head. */
  write(batch: Batch): void {
    const { heads } = batch
    const known = heads.find(this.stream)
    if ((known < 0 ? 0 : heads.version(known)) !== this.expectedVersion) return
    if (this.facts.length === 0) {
      this.outcome = []
      return
    }
    const slot = known < 0 ? heads.create(this.stream) : known
    batch.before.push(slot, this.expectedVersion, heads.position(slot))
    this.#insert(batch, slot)
    batch.stored.push(this)
  }

  #insert(batch: Batch, slot: number): void {
    const { clock, heads, types, insert, at } = batch
    const { stream, facts, texts } = this
    let cause: Cause | undefined
    let origin = ''
    const no = heads.no(slot)
    let version = this.expectedVersion
    let prev = heads.position(slot)
    const recorded: Recorded[] = []
    for (let index = 0; index < facts.length; index++) {
      const { type, data } = facts[index] as Message
      const text = texts[index] as string
      const next = causeAt(this.cause, index)
      if (next !== cause) origin = causeText((cause = next))
      const { actor, commandId, correlationId, causationId } = cause
      const id = clock.id()
      const position = ++batch.position
      const meta = metaText(id, origin)
      insert.run(position, no, ++version, prev, types.noOf(type), at, text, meta)
      batch.text += sealText(stream, version, type, text, meta)
      recorded.push({
        type,
        data,
        meta: { id, stream, version, position, at, actor, commandId, correlationId, causationId },
      })
      prev = position
    }
    heads.move(slot, version, prev)
    this.outcome = recorded
  }

  done(): void {
    this.#resolve(this.outcome)
  }

  fail(fault: StoreFault): void {
    this.#reject(fault)
  }
}
