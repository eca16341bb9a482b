import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import type { EventStream } from '#libs/http/sse.ts'

/** The position behind which a stream goes on: where the reader lost it, or else where it asks to begin. */
export function resumedAt({ lastEventId }: EventStream, begin: number): number {
  return lastEventId !== null && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : begin
}

/** Waits until the reader has taken what was sent, so that one who is slow holds up nobody and fills no memory. */
export async function drained({ raw }: FastifyReply, { ended }: EventStream): Promise<void> {
  if (!raw.writableNeedDrain || ended.aborted) return
  // It ends either way: a reader that has gone drains nothing any more.
  await once(raw, 'drain', { signal: ended }).catch(() => {})
}
