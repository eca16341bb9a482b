import type { Recorded } from '#contracts/message.ts'
import type { Stored } from './batch.ts'
import type { Commit } from './writer.ts'

const recentEventsMax = 8_192
const recentCharsMax = 8 * 1_048_576

/** The commits just made, so that who follows closely is served without asking the database. */
export class Recent {
  readonly #commits: (Commit & { events?: readonly Recorded[] })[] = []
  #events = 0
  #chars = 0

  /** Takes in a commit, which goes on where the one before it ended. */
  add(commit: Commit): void {
    this.#commits.push({ ...commit })
    this.#events += commit.upTo - commit.after
    this.#chars += commit.chars
    while (this.#events > recentEventsMax || this.#chars > recentCharsMax) this.#dropOldest()
  }

  /** Forgets all, when nobody follows any more. */
  clear(): void {
    while (this.#commits.length > 0) this.#dropOldest()
  }

  /** The events after a position, up to `limit`; null when they are not recent. */
  page(after: number, limit: number): readonly Recorded[] | null {
    const commit = this.#commits.findLast((candidate) => candidate.after <= after)
    if (commit === undefined || commit.upTo <= after) return null
    commit.events ??= commit.stored.flatMap(asStored)
    return commit.events.slice(after - commit.after, after - commit.after + limit)
  }

  #dropOldest(): void {
    const commit = this.#commits.shift()
    if (commit === undefined) return
    this.#events -= commit.upTo - commit.after
    this.#chars -= commit.chars
  }
}

/** Parsed from the stored text, so that followers see now what they would read later. */
const asStored = ({ outcome, texts }: Stored): Recorded[] =>
  outcome === 'conflict'
    ? []
    : outcome.map(({ type, meta }, index) => ({ type, data: JSON.parse(texts[index] as string) as unknown, meta }))
