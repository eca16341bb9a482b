import type { Clock } from '#libs/clock.ts'
import type { Roster } from './roster.ts'

interface Seen {
  sign: number
  atMs: number
}

/**
 * Knows who has given a sign of life lately, by our own clock alone: others' clocks may show anything. Time in which
 * we did not look, because the roster was away or this process was held up, counts as nobody's absence.
 */
export class Attendance {
  readonly #clock: Pick<Clock, 'steadyMs'>
  readonly #ttlMs: number
  readonly #lookEveryMs: number
  readonly #seen = new Map<string, Seen>()
  #lookedMs: number

  /**
   * @param ttlMs after how long without a sign a process counts as gone
   * @param lookEveryMs how often `read` is called while all goes well
   */
  constructor(clock: Pick<Clock, 'steadyMs'>, { ttlMs, lookEveryMs }: { ttlMs: number; lookEveryMs: number }) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#lookEveryMs = lookEveryMs
    this.#lookedMs = clock.steadyMs()
  }

  /** Takes in the roster as it is now. */
  read({ members }: Roster): void {
    const nowMs = this.#clock.steadyMs()
    const blindMs = Math.max(0, nowMs - this.#lookedMs - 2 * this.#lookEveryMs)
    this.#lookedMs = nowMs
    for (const [member, seen] of this.#seen) {
      if (members[member] === undefined) this.#seen.delete(member)
      else seen.atMs += blindMs
    }
    for (const [member, sign] of Object.entries(members))
      if (this.#seen.get(member)?.sign !== sign) this.#seen.set(member, { sign, atMs: nowMs })
  }

  /** The processes on the roster that give no sign of life any more. */
  gone(): ReadonlySet<string> {
    const nowMs = this.#clock.steadyMs()
    return new Set([...this.#seen].filter(([, { atMs }]) => nowMs - atMs >= this.#ttlMs).map(([member]) => member))
  }
}
