import websocket from '@fastify/websocket'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type RawServerDefault } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Scope } from '#contracts/token.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { acceptJsonOnly } from './body.ts'
import { requireDeclarations } from './declared.ts'
import { documentRoutes, secureHeaders } from './docs.ts'
import { answerErrors, clientErrorHandler, sendError } from './errors.ts'
import { guard, type Authenticate, type Principal } from './guard.ts'
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency.ts'
import { refuseUnknownVersions } from './ifMatch.ts'
import { defaultLimits, type HttpLimits } from './limits.ts'
import { createStreams, type Streams } from './sse.ts'
import { watchVitals, type Vitals } from './system.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readonly clock: Clock
    readonly streams: Streams
    readonly idempotencyKeys: IdempotencyKeys
    readonly vitals: Vitals
  }
  interface FastifyRequest {
    /** Who asks; null on public routes. */
    principal: Principal | null
  }
  interface FastifyContextConfig {
    /** Anyone may use this route, without a credential. */
    public?: boolean
    /** What a credential must allow for this route. */
    scope?: Scope
    /** The route keeps to the version that If-Match names. */
    versioned?: boolean
  }
}

export type Http = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

export interface HttpOptions {
  readonly log: Log
  readonly clock: Clock
  readonly authenticate: Authenticate
  readonly version: string
  readonly limits?: Partial<HttpLimits>
  /** Addresses of proxies whose word is taken for where a request came from, such as `10.0.0.0/8`. */
  readonly trustedProxies?: string
}

const requestIdPattern = /^[\w.:-]{1,64}$/

/**
 * The HTTP edge that all routes share: parsing, limits, credentials, one shape of error, documentation, vital signs.
 * Register routes on what it returns, then `listen`, or test them with `inject`. A route that does not declare its
 * scope (or that it is public), its tag, summary and responses makes the start fail.
 */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const { log, clock, authenticate, version } = options
  const limits = { ...defaultLimits, ...options.limits }
  const app: Http = createServer(options, limits)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  const streams = createStreams(clock, limits)
  app.decorate('clock', clock)
  app.decorate('streams', streams)
  app.decorate('idempotencyKeys', createIdempotencyKeys(limits.idempotencyKeysMax))
  app.addHook('preClose', async () => streams.endAll())

  requireDeclarations(app)
  answerErrors(app, log)
  acceptJsonOnly(app, limits.jsonDepthMax)
  refuseUnknownVersions(app)
  await secureHeaders(app)
  await app.register(websocket, {
    options: { maxPayload: limits.socketMessageMaxBytes, perMessageDeflate: false },
    errorHandler: (error, socket, request) => {
      log.warn({ err: error, requestId: request.id }, 'socket failed')
      socket.terminate()
    },
  })
  // After the headers and the sockets, so that a refusal wears the one and lets go of the other.
  guard(app, { clock, limits, authenticate })
  await documentRoutes(app, version)
  app.decorate('vitals', watchVitals(app, { clock, log, version, readinessMs: limits.readinessMs }))
  return app
}

function createServer({ log, clock, trustedProxies }: HttpOptions, limits: HttpLimits) {
  return fastify({
    http: { maxHeaderSize: limits.headersMaxBytes },
    bodyLimit: limits.bodyMaxBytes,
    requestTimeout: limits.receiveMs,
    handlerTimeout: limits.answerMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    // The guard says it in our words instead.
    return503OnClosing: false,
    // The guard limits the whole address; the router's own limit would answer before it, and otherwise.
    routerOptions: { maxParamLength: limits.headersMaxBytes },
    ...(trustedProxies === undefined ? {} : { trustProxy: trustedProxies }),
    genReqId: ({ headers }) => {
      const given = headers['x-request-id']
      return typeof given === 'string' && requestIdPattern.test(given) ? given : clock.id()
    },
    frameworkErrors: (error, request, reply) => sendError(error, request, reply, log),
    clientErrorHandler: clientErrorHandler(clock),
  }).withTypeProvider<ZodTypeProvider>()
}

export interface Listening extends AsyncDisposable {
  readonly url: string
  readonly port: number
}

/**
 * Opens the port, and closes it when disposed of: streams end, what is in hand is answered, then connections close.
 * @param host only this machine unless another address is named
 * @param port 0 for any that is free
 */
export async function listen(
  app: Http,
  { host = '127.0.0.1', port }: { host?: string; port: number },
): Promise<Listening> {
  const url = await app.listen({ host, port })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port')
  return { url, port: address.port, [Symbol.asyncDispose]: () => app.close() }
}
