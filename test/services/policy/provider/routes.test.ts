import { expect, it } from 'vitest'
import type { Ask } from '#libs/ask.ts'
import { providerRoutes } from '#services/policy/provider/routes.ts'
import { as, testHttp } from '#test/support/http.ts'

it('anyone who may read is told of the providers of machines', async () => {
  const row = { name: 'cloud', kind: 'http', environmentIds: [], lastAnswerAt: null, machinesListed: 0, doubts: [] }
  const items = [{ ...row, failures: 0, lastFailure: null, silentSince: null }]
  const asked: unknown[] = []
  const ask: Ask = async (service, command) => {
    asked.push([service, command])
    return asked.length > 1
      ? { refused: 'SERVICE_UNAVAILABLE', detail: 'gone' }
      : { accepted: true, position: 0, result: { items } }
  }
  const app = await testHttp((http) => void http.register(providerRoutes({ ask })))
  const get = () => app.inject({ url: '/v1/providers', headers: as('reader') })
  expect((await get()).json()).toEqual({ items })
  expect(asked).toEqual([['policy', { type: 'ListProviders', data: {} }]])
  expect((await get()).statusCode).toBe(503)
})
