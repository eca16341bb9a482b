import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { problemType } from '#contracts/problem.ts'
import type { RefusalCode } from '#contracts/refusals.ts'
import { BusFault } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { problemOf, Refused } from '../problem.ts'
import { StoreFault } from '../store/store.ts'
import { fieldErrors } from './fields.ts'
import { createAllowed } from './methods.ts'
import { isUploading } from './upload.ts'

const faultRetryMs = 1_000

/** What Fastify's own errors mean in our words. Others of status 4xx are told as REQUEST_INVALID. */
const meanings: Readonly<Record<string, RefusalCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED',
  FST_ERR_NOT_FOUND: 'ROUTE_UNKNOWN',
  FST_ERR_HANDLER_TIMEOUT: 'SERVICE_UNAVAILABLE',
}

/** Answers every error of the process in one shape. What went wrong inside is logged and never sent. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  const allowed = createAllowed(app)

  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(error, request, reply, log))
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed(request.url)
    if (methods.length === 0) {
      return sendProblem(new Refused('ROUTE_UNKNOWN', `There is nothing to ${request.method} here.`), request, reply)
    }
    reply.header('allow', methods.join(', '))
    return sendProblem(new Refused('METHOD_NOT_ALLOWED', `It takes ${methods.join(', ')}.`), request, reply)
  })
}

export function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const refused = refusalOf(error, request)
  if (refused.refused === 'FAULT' || refused.refused === 'SERVICE_UNAVAILABLE') {
    log.error(
      { err: error, requestId: request.id, method: request.method, url: request.routeOptions.url },
      'request failed',
    )
  }
  return sendProblem(refused, request, reply)
}

/** Sends a refusal as a problem, whatever the route would otherwise have sent. */
export function sendProblem(refused: Refused, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(refused, request)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (refused.retryAfterMs !== null) reply.header('retry-after', Math.ceil(refused.retryAfterMs / 1_000))
  return reply
    .code(problem.status)
    .header('content-type', problemType)
    .header('cache-control', 'no-store')
    .serializer(JSON.stringify)
    .send(problem)
}

function refusalOf(error: FastifyError, request: FastifyRequest): Refused {
  if (error instanceof Refused) return error
  if (error instanceof BusFault || error instanceof StoreFault) {
    return new Refused('SERVICE_UNAVAILABLE', 'Try again shortly.', { retryAfterMs: faultRetryMs })
  }
  if (error.validation) {
    const errors = fieldErrors(error, request)
    const [first] = errors
    return new Refused('REQUEST_INVALID', `${first?.path}: ${first?.message}`, { errors })
  }

  const meaning = meanings[error.code]
  const status = error.statusCode ?? 500
  if (meaning === 'SERVICE_UNAVAILABLE') {
    return new Refused(meaning, 'It did not answer in time; try again.', { retryAfterMs: faultRetryMs })
  }
  if (meaning !== undefined || (status >= 400 && status < 500)) {
    return new Refused(meaning ?? (status === 404 ? 'ROUTE_UNKNOWN' : 'REQUEST_INVALID'), sentence(error.message))
  }
  return new Refused('FAULT', `The log says more under the request id ${request.id}.`)
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** What cannot be read as HTTP never becomes a request, so its answer is written by hand. */
export function clientErrorHandler(clock: Pick<Clock, 'id'>) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    // The upload has its own limits of time; the server says this once and then lets the connection be.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUploading(socket)) return
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const [code, detail]: [RefusalCode, string] =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? ['BODY_TOO_LARGE', 'The headers are larger than this server takes.']
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? ['REQUEST_INVALID', 'The request did not arrive in time.']
          : ['REQUEST_INVALID', 'This is not a request that can be read.']
    const problem = problemOf(new Refused(code, detail), { url: '', id: clock.id() })
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${code}`,
      `content-type: ${problemType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }
}
