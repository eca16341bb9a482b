import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RefusalCode } from '#contracts/refusals.ts'
import { Refused } from '#libs/problem.ts'
import type { Page } from './reader.ts'
import type { Query } from './service.ts'

/** How long a reader may be kept waiting for the position that it asks for. */
const freshWithinMs = 5_000
const json = 'application/json; charset=utf-8'

/** What every route here is made of. */
export interface Asked {
  readonly query: Query
}

/** A list, as it is told of in the documentation of the API. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    items: z.array(row),
    next: z.string().nullable().describe('The cursor of the next page; null on the last one.'),
  })

/** Waits until the answer can be given from the position asked for. */
export async function fresh(query: Query, minPosition: number | undefined): Promise<void> {
  if (minPosition === undefined || query.position >= minPosition) return
  if (await query.reached(minPosition, freshWithinMs)) return
  throw new Refused(
    'POSITION_NOT_REACHED',
    `It has come to ${query.position} and not to ${minPosition} within ${freshWithinMs} ms. Ask again.`,
    { retryAfterMs: 1_000 },
  )
}

/** Sends a page of stored documents as they are. */
export function sendPage(reply: FastifyReply, { docs, next }: Page): FastifyReply {
  return reply.type(json).send(`{"items":[${docs.join(',')}],"next":${JSON.stringify(next)}}`)
}

/**
 * Sends one resource, or that it is still what the client has.
 * @param tag what a change of the resource may name with If-Match; a digest of the body unless told
 */
export function sendDoc(request: FastifyRequest, reply: FastifyReply, doc: string, tag?: number): FastifyReply {
  const etag = `"${tag ?? createHash('sha256').update(doc).digest('base64url').slice(0, 22)}"`
  reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.type(json).send(doc)
}

/** Compared weakly, as RFC 9110 says for If-None-Match: on the way a tag may be marked as weak. */
const matches = (asked: string | undefined, etag: string) =>
  asked !== undefined && asked.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)

/** What was found, or the refusal that there is none. */
export function found<Value>(value: Value | undefined, code: RefusalCode, detail: string): Value {
  if (value === undefined) throw new Refused(code, detail)
  return value
}

/** A stored document with more in it. */
export const withFields = (doc: string, fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields).reduce((so, [name, value]) => `${so.slice(0, -1)},${JSON.stringify(name)}:${value}}`, doc)
