import { z } from 'zod'
import { duration } from '../units.ts'
import { minuteMs, Window } from './common.ts'

/** A few targets first, then a hold, then the others. */
export const canary = (object: typeof z.object) =>
  object({
    size: Window,
    /** How long to wait and watch them, or what to ask a person. */
    hold: z.union([
      object({ forMs: duration }),
      object({ approval: z.string().trim().min(1).max(500), withinMs: duration.default(24 * 60 * minuteMs) }),
    ]),
  })
export type Canary = z.infer<ReturnType<typeof canary>>
