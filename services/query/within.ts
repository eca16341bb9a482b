import type { Clock } from '#libs/clock.ts'

/** What a promise comes to, or null when it takes longer than that. */
export async function within<Value>(clock: Clock, waitMs: number, promise: Promise<Value>): Promise<Value | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>()
  const timer = clock.timer(waitMs, () => resolve(null))
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.cancel()
  }
}
