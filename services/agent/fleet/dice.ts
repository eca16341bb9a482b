const steps = { add: 0x6d2b79f5, hash: 0x9e3779b1 }

/**
 * Chance that falls the same way for the same seed (mulberry32). Good enough for who fails and who dies, and fit for no
 * secret: keys come from the clock.
 * @param part tells apart those who share a seed, such as machines by their numbers
 */
export function createDice(seed: number, part: number): () => number {
  let state = (seed ^ Math.imul(part + 1, steps.hash)) | 0
  return () => {
    state = (state + steps.add) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A length of time between two, in milliseconds. */
export interface Between {
  readonly minMs: number
  readonly maxMs: number
}

export const within = (chance: () => number, { minMs, maxMs }: Between): number => minMs + chance() * (maxMs - minMs)
