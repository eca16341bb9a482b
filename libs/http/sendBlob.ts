import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Blobs } from '../blobs/blobs.ts'
import { Refused } from '../problem.ts'
import { rangeOf } from './range.ts'

/** What a route that sends bytes answers with, for the documentation of the API. */
export const bytesResponse = {
  200: { description: 'The bytes', content: { 'application/octet-stream': { schema: z.any() } } },
  206: { description: 'The range of bytes asked for', content: { 'application/octet-stream': { schema: z.any() } } },
}

export interface BlobSent {
  readonly digest: string
  readonly mediaType: string
  /** What the file is called for whoever saves it. */
  readonly fileName: string
}

/** Sends bytes from the blobs, whole or the range that is asked for. They are verified before the first of them goes. */
export async function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  blobs: Pick<Blobs, 'open'>,
  { digest, mediaType, fileName }: BlobSent,
): Promise<FastifyReply> {
  const etag = `"${digest}"`
  reply.header('etag', etag).header('cache-control', 'private, no-cache').header('accept-ranges', 'bytes')
  if (request.headers['if-none-match'] === etag) return reply.code(304).send()

  const blob = await blobs.open(digest)
  if (typeof blob === 'string')
    throw new Refused('PACKAGE_CORRUPT', `The bytes with the digest ${digest} are ${blob}. Upload the same file again.`)
  const { sizeBytes } = blob
  const range = rangeOf(request.headers.range, sizeBytes, { ifRange: request.headers['if-range'] as string, etag })
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${sizeBytes}`)
    throw new Refused('RANGE_UNSATISFIABLE', `There are ${sizeBytes} bytes.`)
  }
  reply.type(mediaType).header('content-disposition', `attachment; filename="${fileName}"`)
  if (range === 'whole') return reply.header('content-length', sizeBytes).send(blob.read())
  const { start, end } = range
  return reply
    .code(206)
    .header('content-range', `bytes ${start}-${end}/${sizeBytes}`)
    .header('content-length', end - start + 1)
    .send(blob.read(start, end))
}
