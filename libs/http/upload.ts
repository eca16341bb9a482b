import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { Refused } from '../problem.ts'

/** Connections on which an upload is coming in: how long one may take is not a matter of how long a request may. */
const uploading = new WeakSet<Socket>()

/** Whether the time that a request may take to arrive does not count on this connection. */
export const isUploading = (socket: Socket): boolean => uploading.has(socket)

export interface UploadLimits {
  readonly bytesMax: number
  /** How long an upload may take. */
  readonly uploadMs: number
  /** How long it may bring nothing. */
  readonly uploadStallMs: number
}

/** Lets the routes of a plugin take bodies of these types as they are. They come by `uploadOf`, not by `request.body`. */
export function takeUploads(app: FastifyInstance, mediaTypes: readonly string[]): void {
  app.addContentTypeParser([...mediaTypes], (_request, _payload, done) => done(null, undefined))
}

/**
 * The body of a request as it comes. It need not fit into memory, nor come within the time that other requests have.
 * @throws Refused, also halfway, when it is too large, too slow, or breaks off
 */
export async function* uploadOf(
  { raw, headers }: FastifyRequest,
  clock: Clock,
  limits: UploadLimits,
): AsyncGenerator<Uint8Array, void> {
  refuseLarge(Number(headers['content-length'] ?? 0), limits)
  const endMs = clock.steadyMs() + limits.uploadMs
  uploading.add(raw.socket)
  // Not destroyed when we return early, or the connection would be gone before it has been told why.
  const chunks = raw.iterator({ destroyOnReturn: false })
  try {
    for (let bytes = 0; ;) {
      const { done, value } = await nextChunk(chunks, clock, endMs, limits)
      if (done === true) return
      bytes += value.length
      refuseLarge(bytes, limits)
      yield value
    }
  } finally {
    uploading.delete(raw.socket)
  }
}

async function nextChunk(
  chunks: ReturnType<IncomingMessage['iterator']>,
  clock: Clock,
  endMs: number,
  { uploadMs, uploadStallMs }: UploadLimits,
): Promise<IteratorResult<Uint8Array, undefined>> {
  const late = Promise.withResolvers<never>()
  const refuse = () =>
    late.reject(
      new Refused('PACKAGE_INCOMPLETE', `Nothing came for ${uploadStallMs} ms, or not all within ${uploadMs} ms.`),
    )
  const timer = clock.timer(Math.max(0, Math.min(uploadStallMs, endMs - clock.steadyMs())), refuse)
  try {
    return (await Promise.race([chunks.next(), late.promise])) as IteratorResult<Uint8Array, undefined>
  } catch (error) {
    if (error instanceof Refused) throw error
    throw new Refused('PACKAGE_INCOMPLETE', 'The connection ended before the last byte. Send it again.')
  } finally {
    timer.cancel()
  }
}

function refuseLarge(bytes: number, { bytesMax }: UploadLimits): void {
  if (bytes <= bytesMax) return
  throw new Refused('BODY_TOO_LARGE', `A package may have ${bytesMax} bytes. The server's --package-max-bytes says so.`)
}
