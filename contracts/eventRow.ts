import { z } from 'zod'

/** An event as the API shows it: a CloudEvents 1.0 envelope in JSON. */
export const EventRow = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  stream: z.string(),
  streamversion: z.number(),
  position: z.number(),
  actor: z.string(),
  correlationid: z.string(),
  causationid: z.string().nullable(),
  data: z.unknown(),
})
export type EventRow = z.infer<typeof EventRow>
