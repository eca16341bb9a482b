import { describe, expect, it } from 'vitest'
import { createBuckets } from '#libs/http/bucket.ts'

const rate = { perSecond: 10, burst: 3 }
const at = { ms: 0 }
const clock = { steadyMs: () => at.ms }

describe('a token bucket', () => {
  it('lets a burst through, then the steady rate, and says when to come back', () => {
    const buckets = createBuckets(clock, 10)
    expect([1, 2, 3, 4].map(() => buckets.take('a', rate))).toEqual([0, 0, 0, 100])
    at.ms += 50
    expect(buckets.take('a', rate)).toBe(50)
    at.ms += 50
    expect([buckets.take('a', rate), buckets.take('a', rate)]).toEqual([0, 100])
  })
  it('never holds more than its burst', () => {
    const buckets = createBuckets(clock, 10)
    buckets.take('a', rate)
    at.ms += 3_600_000
    expect([1, 2, 3, 4].map(() => buckets.take('a', rate) > 0)).toEqual([false, false, false, true])
  })
  it('counts callers apart, and forgets the longest unseen when there are too many', () => {
    const buckets = createBuckets(clock, 2)
    const tight = { perSecond: 1, burst: 1 }
    buckets.take('a', tight)
    buckets.take('b', tight)
    expect(buckets.take('b', tight)).toBeGreaterThan(0)
    buckets.take('c', tight)
    expect(buckets.take('a', tight)).toBe(0)
  })
})
