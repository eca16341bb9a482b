import { once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EventStream } from '#libs/http/sse.ts'
import { Refused } from '#libs/problem.ts'

const positionPattern = /^\d{1,15}$/

/**
 * Opens a stream whose events have positions for ids.
 * @throws Refused when the reader names another id to go on from: it would miss what came behind that in silence
 */
export function openStream(request: FastifyRequest, reply: FastifyReply): EventStream {
  const id = request.headers['last-event-id'] ?? ''
  if (id !== '' && !positionPattern.test(String(id)))
    throw new Refused('REQUEST_INVALID', 'The Last-Event-ID takes the id of an event of this stream, a whole number.')
  return request.server.streams.open(request, reply)
}

/** The position behind which a stream goes on: where the reader lost it, or else where it asks to begin. */
export function resumedAt({ lastEventId }: EventStream, begin: number): number {
  return lastEventId === null ? begin : Number(lastEventId)
}

/** Waits until the reader has taken what was sent, so that one who is slow holds up nobody and fills no memory. */
export async function drained({ raw }: FastifyReply, { ended }: EventStream): Promise<void> {
  if (!raw.writableNeedDrain || ended.aborted) return
  // It ends either way: a reader that has gone drains nothing any more.
  await once(raw, 'drain', { signal: ended }).catch(() => {})
}
