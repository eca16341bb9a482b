import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Scope } from '#contracts/token.ts'
import type { Clock } from '../clock.ts'
import { Refused } from '../problem.ts'
import { createBuckets } from './bucket.ts'
import type { HttpLimits } from './limits.ts'

/** Whoever stands behind a valid credential. */
export interface Principal {
  /** Written as the actor into every event that follows from the request. */
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
}

/** Finds out who a bearer token belongs to; null when it is unknown, expired or revoked. Compares in constant time. */
export type Authenticate = (bearerToken: string) => Promise<Principal | null> | Principal | null

const bearerPattern = /^Bearer +([\x21-\x7e]{1,512})$/i
const safeMethods = ['GET', 'HEAD', 'OPTIONS']

/** Each scope may also do what the ones before it may. */
const scopeOrder: readonly Scope[] = ['read', 'write', 'admin']

export interface GuardOptions {
  readonly clock: Clock
  readonly limits: HttpLimits
  readonly authenticate: Authenticate
}

/** Stands before every route: who asks, from where, how often, and whether they may. Nothing is read before. */
export function guard(app: FastifyInstance, { clock, limits, authenticate }: GuardOptions): void {
  const buckets = createBuckets(clock, limits.callersMax)
  const anonymousRate = { perSecond: limits.anonymousPerSecond, burst: limits.anonymousBurst }
  const principalRate = { perSecond: limits.requestsPerSecond, burst: limits.requestsBurst }
  let closing = false
  app.addHook('preClose', async () => void (closing = true))

  app.decorateRequest('principal', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    if (closing) throw new Refused('SERVICE_UNAVAILABLE', 'Remuda is stopping.', { retryAfterMs: 1_000 })
    refuseLongAddress(request, limits.addressMaxChars)
    refuseOtherSites(request)

    const { public: open = false, scope } = request.routeOptions.config
    const anyone = open || request.is404
    const principal = anyone ? null : await identify(request, authenticate)
    const waitMs = principal
      ? buckets.take(`principal ${principal.id}`, principalRate)
      : buckets.take(`address ${request.ip}`, anonymousRate)
    if (waitMs > 0) throw new Refused('TOO_MANY_REQUESTS', `Come back in ${waitMs} ms.`, { retryAfterMs: waitMs })
    if (anyone) return

    if (principal === null) throw credentialRefusal(request)
    if (scope === undefined || !permits(principal.scopes, scope)) {
      throw new Refused(
        'PERMISSION_DENIED',
        `This needs the scope ${scope}; ${principal.name} has ${principal.scopes}.`,
      )
    }
    request.principal = principal
  })
}

async function identify(request: FastifyRequest, authenticate: Authenticate): Promise<Principal | null> {
  const token = bearerOf(request.headers.authorization)
  return token === undefined ? null : authenticate(token)
}

/** The token in `Bearer <token>`. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  bearerPattern.exec(authorization ?? '')?.[1]

function credentialRefusal({ headers }: FastifyRequest): Refused {
  if (headers.authorization === undefined) {
    return new Refused('CREDENTIAL_MISSING', 'Send it as "Authorization: Bearer <token>".')
  }
  return new Refused('CREDENTIAL_INVALID', 'The bearer token is malformed, unknown, expired or revoked.')
}

/** Whether one of the scopes held is the one needed, or allows more. */
export const permits = (held: readonly Scope[], needed: Scope) =>
  held.some((scope) => scopeOrder.indexOf(scope) >= scopeOrder.indexOf(needed))

function refuseLongAddress({ raw }: FastifyRequest, maxChars: number): void {
  const chars = raw.url?.length ?? 0
  if (chars > maxChars) throw new Refused('BODY_TOO_LARGE', `The address has ${chars} characters; ${maxChars} at most.`)
}

/**
 * A page of another site may not change anything in the name of the person who looks at it, nor open a socket.
 * Browsers say where a request comes from and pages cannot change what they say; other clients say nothing.
 */
function refuseOtherSites({ method, headers, host }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  const opensSocket = headers.upgrade !== undefined
  if (safeMethods.includes(method) && !opensSocket) return
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  const foreignOrigin = headers.origin !== undefined && URL.parse(headers.origin)?.host !== host
  if (foreignSite || foreignOrigin) {
    throw new Refused('PERMISSION_DENIED', 'Pages of other sites may not act here.')
  }
}
