import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { PackageOrder } from '#contracts/agent.ts'
import { rangeOf } from '#libs/http/range.ts'
import { tar } from './tarBytes.ts'

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A package that does not fit into one chunk. */
export const packageOf = (version: string, bytes = 400_000) =>
  tar({ name: 'version', content: version }, { name: 'data', content: Buffer.alloc(bytes, version) })

type Answer = (request: IncomingMessage, response: ServerResponse, body: Uint8Array) => void

/** Sends what is asked for, as a good server does. */
export const good: Answer = (request, response, body) => {
  const etag = `"${sha256(body)}"`
  const range = rangeOf(request.headers.range, body.length, {
    ifRange: request.headers['if-range'] as string | undefined,
    etag,
  })
  response.setHeader('etag', etag)
  if (range === 'unsatisfiable') return void response.writeHead(416).end()
  if (range === 'whole') return void response.writeHead(200, { 'content-length': body.length }).end(body)
  const { start, end } = range
  response.writeHead(206, {
    'content-range': `bytes ${start}-${end}/${body.length}`,
    'content-length': end - start + 1,
  })
  response.end(body.subarray(start, end + 1))
}

/** As a good server would, but the connection breaks after so many bytes. */
export const cutAfter =
  (bytes: number): Answer =>
  (request, response, body) => {
    const write = response.end.bind(response) as (part: Uint8Array) => void
    response.end = ((part: Uint8Array) => {
      if (part.length <= bytes) return write(part)
      // What has not been read when a connection breaks is lost, so it breaks a little later.
      response.write(part.subarray(0, bytes), () => void setTimeout(() => response.destroy(), 100))
    }) as never
    good(request, response, body)
  }

export interface OriginRequest {
  readonly range: string | undefined
  readonly ifRange: string | undefined
  readonly authorization: string | undefined
  readonly path: string
}

/**
 * A server of packages on this machine that answers as it is told: each answer once, in order, and the last for ever.
 */
export async function startOrigin(body: Uint8Array, ...answers: readonly [Answer, ...Answer[]]) {
  const requests: OriginRequest[] = []
  const sent = { bytes: 0 }
  const waiting = [...answers]
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange, authorization } = request.headers
    requests.push({ range, ifRange: ifRange as string | undefined, authorization, path: request.url ?? '' })
    const answer = waiting.length > 1 ? waiting.shift()! : waiting[0]!
    const before = request.socket.bytesWritten
    response.on('close', () => (sent.bytes += request.socket.bytesWritten - before))
    answer(request, response, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests, sent, answers: waiting }
}

export const orderOf = (body: Uint8Array, version: string, more: Partial<PackageOrder> = {}): PackageOrder => ({
  projectId: 'shop',
  name: 'shop',
  version,
  digest: sha256(body),
  sizeBytes: body.length,
  url: null,
  ...more,
})
