import type { z } from 'zod'
import { messagesOf } from './describe/messages.ts'
import { streamKinds } from './describe/streams.ts'

/** How each type of fact is read, of whatever stream. */
export const factSchemas: ReadonlyMap<string, z.ZodType> = new Map(
  streamKinds.flatMap(({ events }) => messagesOf(events)).map(({ type, schema }) => [type, schema]),
)
