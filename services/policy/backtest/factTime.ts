import type { Fact } from './facts.ts'

/**
 * Says by the steady clock when a fact was there to be seen. Some facts carry an instant of that clock; for the others
 * it is reckoned from the wall clock's, by what the two last differed.
 */
export class FactTime {
  #aheadMs: number
  #nowMs = 0
  #isSure = false

  /** @param aheadMs by how much the steady clock is ahead of the wall clock, until a fact tells */
  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs
  }

  /** The steady instant of a fact, which is never before that of the fact before it. */
  of({ data, meta }: Fact): number {
    const said = 'at' in data ? data.at : 'endedAt' in data ? data.endedAt : undefined
    if (said !== undefined) this.#aheadMs = said - meta.at
    // What was only a guess may have been far ahead.
    if (said !== undefined && !this.#isSure) this.#nowMs = 0
    this.#isSure ||= said !== undefined
    this.#nowMs = Math.max(this.#nowMs, said ?? meta.at + this.#aheadMs)
    return this.#nowMs
  }

  fromWall(atMs: number): number {
    return Math.max(this.#nowMs, atMs + this.#aheadMs)
  }

  /** An instant as people know it. */
  toWall = (steadyMs: number): number => Math.max(0, Math.round(steadyMs - this.#aheadMs))
}
