import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { causeAt } from '../limits.ts'
import { noFences, type Fence } from '../fence.ts'
import type { StoreFault } from '../store.ts'

type Outcome = readonly Recorded[] | 'conflict'

/** One call of `append`, from the queue to its answer. */
export class Append {
  readonly stream: string
  readonly expectedVersion: number
  readonly facts: readonly Message[]
  /** The data and the origin of each fact, as JSON. */
  readonly datas: readonly string[]
  readonly metas: readonly string[]
  readonly chars: number
  readonly fences: readonly Fence[]
  /** Resolves once the answer is durable. */
  readonly answer: Promise<Outcome>
  readonly #ids: readonly string[]
  readonly #cause: Cause | readonly Cause[]
  #resolve!: (outcome: Outcome) => void
  #reject!: (fault: StoreFault) => void

  /** @param cause of all facts, or of each */
  constructor(
    stream: string,
    expectedVersion: number,
    facts: readonly Message[],
    datas: readonly string[],
    cause: Cause | readonly Cause[],
    clock: Clock,
    fences: readonly Fence[] = noFences,
  ) {
    this.stream = stream
    this.expectedVersion = expectedVersion
    this.facts = facts
    this.datas = datas
    this.#cause = cause
    this.fences = fences
    this.#ids = facts.map(() => clock.id())
    this.metas = this.#ids.map((id, index) => metaText(id, causeAt(cause, index)))
    this.chars = datas.reduce((sum, text) => sum + text.length, 0)
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Whether an event of this id is the first one of this append. */
  begins(id: string): boolean {
    return this.#ids[0] === id
  }

  /** Answers the facts as recorded from `position` on, at the time `at`. */
  stored(position: number, at: number): void {
    const { stream, expectedVersion } = this
    this.#resolve(
      this.facts.map(({ type, data }, index) => {
        const { actor, commandId, correlationId, causationId } = causeAt(this.#cause, index)
        const id = this.#ids[index] as string
        const place = { stream, version: expectedVersion + index + 1, position: position + index, at }
        return { type, data, meta: { id, ...place, actor, commandId, correlationId, causationId } }
      }),
    )
  }

  conflict(): void {
    this.#resolve('conflict')
  }

  fail(fault: StoreFault): void {
    this.#reject(fault)
  }
}

/** The origin of an event, as its row holds it. */
export const metaText = (id: string, { actor, commandId, correlationId, causationId }: Cause): string =>
  JSON.stringify({ id, actor, commandId, correlationId, causationId })
