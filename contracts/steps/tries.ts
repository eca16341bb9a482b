import { z } from 'zod'
import { duration } from '../units.ts'
import { minuteMs } from './common.ts'

/** How often something is tried that machines run, and what follows when it has failed for good. */
export const tries = {
  attemptsMax: z.number().int().min(1).max(10).default(1),
  /** How long the first wait for another try is; each further one is so many times as long, up to a most. */
  retryAfterMs: duration.default(5_000),
  retryFactor: z.number().min(1).max(10).default(2),
  retryAfterMaxMs: duration.default(5 * minuteMs),
  /** What one attempt may take of the time that all of them share. */
  attemptTimeLimitMs: duration.optional(),
  /** Whether an attempt that a crash interrupted may be tried again; otherwise it is a failure that says so. */
  repeatable: z.boolean().default(false),
  /** How long a person has to decide, where one is asked. */
  askWithinMs: duration.default(60 * minuteMs),
}
