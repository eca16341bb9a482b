import { z } from 'zod'
import { HoldReason } from './deploymentOptions.ts'

/** How a deployment stands in the queue, as the query API answers it. Instants are ISO 8601 in UTC. */
export const queueRow = {
  priority: z.number(),
  /** When it was wanted to start, where that was said. */
  startAt: z.string().nullable(),
  /** Why it may start in a freeze, when it may. */
  ignoreFreeze: z.object({ reason: z.string() }).nullable(),
  /** Set while it waits for others: why, until when where that is known, and at which place of the queue it is. */
  waiting: z
    .object({
      reason: HoldReason,
      detail: z.string(),
      until: z.string().nullable(),
      position: z.number().nullable(),
    })
    .nullable(),
}
