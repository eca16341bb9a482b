import { z } from 'zod'

/** A request of another system that could not be read, or was refused without anybody waiting for the answer. */
export const ParkedRequestRow = z.object({
  /** Names it; a later one has a greater number. */
  number: z.number(),
  type: z.string(),
  /** Why it was not carried out. */
  code: z.string(),
  detail: z.string(),
  actor: z.string(),
  /** What the sender calls itself and the request, where that could be read. */
  source: z.string().nullable(),
  eventId: z.string().nullable(),
  /** How it begins. */
  payload: z.string(),
  payloadBytes: z.number(),
  parkedAt: z.string(),
})
export type ParkedRequestRow = z.infer<typeof ParkedRequestRow>
