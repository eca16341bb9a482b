import { categoryOf } from '#contracts/subjects.ts'
import type { AnyEvent } from '../events.ts'
import type { Breach } from './rule.ts'

/** What holds for the log itself, whatever it tells of: looked at with every append. */
export class LogRules {
  readonly #versions = new Map<string, number>()
  readonly #positions = new Map<string, number>()
  readonly #carriedOut = new Set<string>()
  #position = 0

  /** @param events what one append has stored */
  check(events: readonly AnyEvent[]): Breach | null {
    const [first] = events
    if (!first) return null
    return this.#checkTwice(first) ?? firstOf(events, (event) => this.#checkPlace(event) ?? this.#checkCause(event))
  }

  /** R1: a command that was carried out is not carried out again. */
  #checkTwice({ meta: { stream, commandId } }: AnyEvent): Breach | null {
    const key = `${stream} ${commandId}`
    if (this.#carriedOut.has(key))
      return { rule: 'R1', ids: [stream, commandId], detail: 'a command has stored its events twice' }
    this.#carriedOut.add(key)
    return null
  }

  /** R1: nothing is missing and nothing is out of line. */
  #checkPlace({ meta: { stream, version, position } }: AnyEvent): Breach | null {
    const [expectedVersion, expectedPosition] = [(this.#versions.get(stream) ?? 0) + 1, this.#position + 1]
    this.#versions.set(stream, version)
    this.#position = position
    if (version === expectedVersion && position === expectedPosition) return null
    const detail = `version ${version} at ${position} instead of ${expectedVersion} at ${expectedPosition}`
    return { rule: 'R1', ids: [stream], detail }
  }

  /** R10: everything was done by somebody and because of something; causes lie behind, so they form no cycle. */
  #checkCause({ type, meta }: AnyEvent): Breach | null {
    const { id, actor, causationId, stream, position } = meta
    this.#positions.set(id, position)
    if (actor === '') return { rule: 'R10', ids: [id], detail: `nobody did ${type}` }
    if (causationId === null) {
      // Nobody causes the observer to begin and to end but whoever starts and stops the server.
      const isFirst = /^(user|machine):/.test(actor) || categoryOf(stream) === 'observer'
      return isFirst ? null : { rule: 'R10', ids: [id], detail: `${actor} did ${type} in ${stream} without a cause` }
    }
    const cause = this.#positions.get(causationId)
    if (cause !== undefined && cause < position) return null
    return { rule: 'R10', ids: [id, causationId], detail: `the cause of ${type} in ${stream} does not lie before it` }
  }
}

export function firstOf<Item>(items: Iterable<Item>, check: (item: Item) => Breach | null): Breach | null {
  for (const item of items) {
    const breach = check(item)
    if (breach) return breach
  }
  return null
}
