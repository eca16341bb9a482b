import type { Clock } from '../clock.ts'

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

interface Bucket {
  tokens: number
  filledAtMs: number
}

/**
 * Token buckets, one a caller: each request takes a token, time puts them back. Unlike a counter per window this never
 * lets twice the rate through around a window's edge.
 */
export function createBuckets(clock: Pick<Clock, 'steadyMs'>, callersMax: number) {
  const buckets = new Map<string, Bucket>()

  return {
    /** Takes a token for this caller. Gives 0, or after how many milliseconds to come back. */
    take(caller: string, { perSecond, burst }: Rate): number {
      const nowMs = clock.steadyMs()
      const { tokens, filledAtMs } = buckets.get(caller) ?? { tokens: burst, filledAtMs: nowMs }
      const filled = Math.min(burst, tokens + ((nowMs - filledAtMs) / 1_000) * perSecond)
      const allowed = filled >= 1

      // Taken out and put back in, so that the first of the map is the caller that has not been seen for longest.
      buckets.delete(caller)
      buckets.set(caller, { tokens: allowed ? filled - 1 : filled, filledAtMs: nowMs })
      if (buckets.size > callersMax) buckets.delete(buckets.keys().next().value ?? '')
      return allowed ? 0 : Math.ceil(((1 - filled) / perSecond) * 1_000)
    },
  }
}
