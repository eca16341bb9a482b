import { onTestFinished } from 'vitest'
import { inboundSubjectsAs, tokenStream } from '#contracts/subjects.ts'
import type { Scope } from '#contracts/token.ts'
import { makeToken } from '#libs/auth.ts'
import type { BusFault, Headers } from '#libs/bus/bus.ts'
import type { HttpLimits } from '#libs/http/limits.ts'
import { startInbound } from '#libs/inbound/inbound.ts'
import { listParkedRequests } from '#libs/inbound/parked.ts'
import type { Platform } from '#libs/platform.ts'
import { systemClock } from '#libs/systemClock.ts'
import { createAuthenticator } from '#services/registry/authenticator.ts'
import { registryRoutes } from '#services/registry/routes.ts'
import { startRegistry } from '#services/registry/service.ts'
import { cause, testPlatform } from '#test/services/registry/platform.ts'
import { testHttp } from '#test/support/http.ts'

export const adminToken = makeToken(systemClock, 'admin').token

export interface Sent {
  readonly id?: string
  readonly token?: string | null
  readonly type?: string
  readonly headers?: Headers
}

export interface Answered {
  readonly accepted?: true
  readonly position?: number
  readonly result?: Readonly<Record<string, unknown>>
  /** Code and detail of what was refused. */
  readonly said?: string
}

/** The registry behind its HTTP API, open to other systems, and such a system. */
export async function outside(given: { limits?: Partial<HttpLimits>; platform?: Partial<Platform> } = {}) {
  const platform = testPlatform(given.platform)
  const { bus, store, clock } = platform
  const registry = await startRegistry(platform)
  const authenticator = createAuthenticator({ adminToken, clock })
  const { authenticate } = authenticator
  const app = await testHttp((http) => void http.register(registryRoutes(platform)), {
    authenticate,
    clock,
    ...(given.limits === undefined ? {} : { limits: given.limits }),
  })
  const users = new Map([['ci', 'ci-token']])
  const { limits } = given
  const inbound = startInbound({ app, ...platform, authenticator, users, ...(limits === undefined ? {} : { limits }) })
  onTestFinished(async () => {
    await inbound[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
  })

  /** An API token of this scope, known by its id. */
  const tokenOf = async (scope: Scope, tokenId = `${scope}-token`): Promise<string> => {
    const { token, secretHash } = makeToken(systemClock, 'user', tokenId)
    const data = { tokenId, name: tokenId, scope, secretHash, expiresAt: null }
    const stored = await store.append(tokenStream(tokenId), 0, [{ type: 'TokenCreated', data }], cause())
    if (stored !== 'conflict') authenticator.apply(stored)
    return token
  }

  const headersOf = (type: string, { id = clock.id(), token = adminToken, headers = {}, ...sent }: Sent): Headers => ({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/tests',
    'ce-type': sent.type ?? type,
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...headers,
  })
  const ask = async (type: string, data: unknown, sent: Sent = {}): Promise<Answered> =>
    bus.request(`remuda.in.${type}`, data, { headers: headersOf(type, sent) }).then(
      (answer) => answer as Answered,
      (fault: BusFault) => ({ said: fault.message }),
    )
  const askAs = async (user: string, type: string, data: unknown, sent: Sent = {}): Promise<Answered> => {
    const headers = headersOf(type, { token: null, ...sent })
    return bus.request(inboundSubjectsAs(user).replace('*', type), data, { headers }).then(
      (answer) => answer as Answered,
      (fault: BusFault) => ({ said: `${fault.reason} ${fault.message}` }),
    )
  }
  const publish = (type: string, data: unknown, sent: Sent = {}) =>
    bus.publish(`remuda.in.${type}`, data, { headers: headersOf(type, sent) })
  const counted = async (outcome: string) => {
    const text = await app.vitals.metrics.getSingleMetricAsString('remuda_inbound_messages_total')
    return Number(new RegExp(`outcome="${outcome}"} (\\d+)`).exec(text)?.[1] ?? 0)
  }
  const stored = async () => (await store.readAll(0, 1_000)).map(({ type, meta }) => ({ type, actor: meta.actor }))
  const parked = () => listParkedRequests(store)
  return { ...platform, app, inbound, authenticator, tokenOf, ask, askAs, publish, counted, stored, parked }
}
