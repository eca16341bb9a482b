import type { RouteOptions } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { inboundRequests } from '#contracts/inbound.ts'
import { mountRoutes } from '#services/mount.ts'
import { queryRoutes } from '#services/query/routes.ts'
import { startQuery } from '#services/query/service.ts'
import type { Services } from '#services/start.ts'
import { testPlatform } from '#test/services/registry/platform.ts'
import { testBlobs } from '#test/support/blobs.ts'
import { testHttp } from '#test/support/http.ts'

/** What can be asked over HTTP alone, and why. */
const overHttpAlone: Readonly<Record<string, string>> = {
  'POST /v1/packages/:/versions/:': 'bytes are too large for the bus',
  'DELETE /v1/packages/:/versions/:': 'goes with the upload',
  'POST /v1/packages/:/prune': 'goes with the upload',
  'PUT /v1/templates/:': 'is kept in files of a repository',
  'DELETE /v1/templates/:': 'is kept in files of a repository',
  'POST /v1/enrollments': 'is answered with a secret',
  'POST /v1/tokens': 'is answered with a secret',
  'POST /v1/projects/:/variables/:/destroy': 'can not be taken back, so it is asked for by hand',
  'PUT /v1/projects/:/variables': 'may hold secrets',
  'POST /v1/environments/:/policy/backtest': 'is a question, and changes nothing',
  'POST /v1/environments/:/policy/what-if': 'is a question, and changes nothing',
  ...Object.fromEntries(
    ['POST /v1/webhooks', 'PATCH /v1/webhooks/:', 'DELETE /v1/webhooks/:']
      .concat(['enable', 'disable', 'rotate', 'test'].map((verb) => `POST /v1/webhooks/:/${verb}`))
      .map((route) => [route, 'is about where things are sent, which no system says for others']),
  ),
  'POST /v1/agent/enroll': 'is for machines',
  'POST /v1/parked/:/:/retry': 'is for people who look at what is parked',
  'DELETE /v1/parked/requests/:': 'is for people who look at what is parked',
}

const keyOf = (method: unknown, url: string) => `${String(method)} ${url.replaceAll(/:\w+/g, ':')}`
const shapeOf = (schema: unknown): Record<string, unknown> => (schema instanceof z.ZodObject ? schema.shape : {})
const requests = Object.entries(inboundRequests)

/** Every route that the server has, by its method and address. */
async function allRoutes(): Promise<ReadonlyMap<string, RouteOptions>> {
  const routes = new Map<string, RouteOptions>()
  const platform = testPlatform()
  const query = await startQuery(platform, { databaseFile: ':memory:', version: '1.2.3' })
  onTestFinished(() => query[Symbol.asyncDispose]())
  const services: Services = { ...nothingRuns, [Symbol.asyncDispose]: async () => {} }
  const { blobs } = await testBlobs()
  const limits = { bytesMax: 1, uploadMs: 1_000, uploadStallMs: 1_000 }
  await testHttp((app) => {
    app.addHook('onRoute', (route) => void routes.set(keyOf(route.method, route.url), route))
    void app.register((scope) => mountRoutes(scope, platform, services, { packages: { blobs, limits } }))
    void app.register(queryRoutes({ query, ...platform }))
  })
  return routes
}
const nothingRuns = { gateway: undefined, query: undefined, failure: Promise.withResolvers().promise }

describe('what other systems may ask for', () => {
  it('is a route, with the same scope', async () => {
    const routes = await allRoutes()
    for (const [type, { method, path, scope }] of requests)
      expect(routes.get(keyOf(method, path))?.config?.scope, type).toBe(scope)
  })

  it('takes what the routes take, by the same schemas', async () => {
    const routes = await allRoutes()
    for (const [type, { method, path, data, body }] of requests) {
      const declared: unknown = routes.get(keyOf(method, path))?.schema?.body
      const taken = declared instanceof z.ZodOptional ? declared.unwrap() : declared
      const shape = body === undefined ? shapeOf(taken) : { [body]: taken }
      const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!)
      expect(Object.keys(data.shape).toSorted(), type).toEqual([...inPath, ...Object.keys(shape)].toSorted())
      for (const [field, schema] of Object.entries(shape)) expect(data.shape[field], `${type}.${field}`).toBe(schema)
      expect(data.safeParse({ 'no such field': 1 }).error?.issues, type).toContainEqual(
        expect.objectContaining({ code: 'unrecognized_keys' }),
      )
    }
  })

  it('is all that can be asked over HTTP, but for what is named here', async () => {
    const routes = await allRoutes()
    const offered = new Set(requests.map(([, { method, path }]) => keyOf(method, path)))
    const changing = [...routes.keys()].filter((key) => /^(POST|PUT|PATCH|DELETE) \/v1\//.test(key))
    expect(changing.filter((key) => !offered.has(key)).toSorted()).toEqual(Object.keys(overHttpAlone).toSorted())
  })
})
