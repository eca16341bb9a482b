import { describe, expect, it } from 'vitest'
import { createApi } from '../../../services/console/app/api.ts'
import { nextStep, type Problem } from '../../../services/console/app/problem.ts'

interface Sent {
  url: string
  init: RequestInit
}

function clientOf(answers: (sent: Sent) => Response | Promise<Response>) {
  const sent: Sent[] = []
  let refused = 0
  const api = createApi({
    fetch: async (url, init = {}) => {
      const one = { url: String(url), init }
      sent.push(one)
      return answers(one)
    },
    token: () => 'rmd_api_a_b',
    freshId: () => 'fresh-id',
    onRefused: () => (refused += 1),
  })
  return { api, sent, refusals: () => refused }
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(body, { status, headers })
const problem = (status: number, code: string, detail: string) => json({ title: 'No.', status, code, detail }, status)

describe('the client of the API', () => {
  it('sends the token, leaves out what is not asked and tells what came', async () => {
    const { api, sent } = clientOf(() => json({ items: [] }))
    expect(await api.get('machines', { q: 'a b', role: '', cursor: undefined })).toEqual({ items: [] })
    expect(sent[0]?.url).toBe('/v1/machines?q=a+b')
    expect(sent[0]?.init.headers).toMatchObject({ authorization: 'Bearer rmd_api_a_b' })
  })
  it('gives every POST a key, so that the server can tell a repeat from a second wish', async () => {
    const { api, sent } = clientOf(() => json({ position: 3 }))
    await api.send('POST', 'projects', { id: 'shop' })
    await api.send('DELETE', 'machines/a')
    expect(sent[0]?.init).toMatchObject({ body: '{"id":"shop"}', headers: { 'idempotency-key': 'fresh-id' } })
    expect(sent[1]?.init.headers).not.toHaveProperty('idempotency-key')
    expect(sent[1]?.init.body).toBeUndefined()
  })
  it('reads what it wrote or saw: it asks for a state at least that far, until the log was cut back', async () => {
    const { api, sent } = clientOf(({ init }) =>
      json({ items: [] }, 200, init.method === 'POST' ? { 'remuda-position': '12' } : {}),
    )
    await api.send('POST', 'projects', {})
    await api.get('projects')
    api.saw(40)
    api.saw(13)
    await api.get('projects')
    await api.get('events')
    await api.get('webhooks/w-1/deliveries')
    await api.get('webhooks/w-1')
    api.cutBack(5)
    await api.get('projects')
    expect(sent.slice(1).map(({ url }) => url)).toEqual([
      '/v1/projects?minPosition=12',
      '/v1/projects?minPosition=40',
      '/v1/events',
      '/v1/webhooks/w-1/deliveries',
      '/v1/webhooks/w-1?minPosition=40',
      '/v1/projects?minPosition=5',
    ])
  })
  it('reads all pages up to a limit and says whether there would be more', async () => {
    const rows = Array.from({ length: 450 }, (_, at) => at)
    const { api, sent } = clientOf(({ url }) => {
      const query = new URL(url, 'http://x').searchParams
      const from = Number(query.get('cursor') ?? 0)
      const to = from + Number(query.get('limit'))
      return json({ items: rows.slice(from, to), next: to < rows.length ? String(to) : null })
    })
    expect(await api.all('machines', 1_000)).toEqual({ rows, more: false })
    expect(sent).toHaveLength(3)
    expect(await api.all('machines', 250)).toEqual({ rows: rows.slice(0, 250), more: true })
  })
  it('turns a refusal into a problem with its code and a next step', async () => {
    const { api } = clientOf(() => problem(409, 'MACHINE_REMOVED', 'web-01 has been removed.'))
    const refused = await api.get('machines/web-01').catch((fault: unknown) => fault)
    expect(refused).toMatchObject({ status: 409, code: 'MACHINE_REMOVED', message: 'web-01 has been removed.' })
    expect(nextStep(refused as Problem)).not.toBe('')
  })
  it('says when the credential is refused, and only then', async () => {
    const { api, refusals } = clientOf(({ url }) =>
      url.endsWith('a') ? problem(403, 'PERMISSION_DENIED', 'no') : problem(401, 'CREDENTIAL_INVALID', 'no'),
    )
    await api.get('a').catch(() => {})
    expect(refusals()).toBe(0)
    await api.get('b').catch(() => {})
    expect(refusals()).toBe(1)
  })
  it('makes a problem of a server that does not answer, or answers with something else than JSON', async () => {
    const gone = clientOf(() => Promise.reject(new TypeError('Failed to fetch')))
    expect(await gone.api.get('a').catch((fault: unknown) => fault)).toMatchObject({ status: 0, name: 'Problem' })
    const proxy = clientOf(() => new Response('<h1>Bad gateway</h1>', { status: 502 }))
    expect(await proxy.api.get('a').catch((fault: unknown) => fault)).toMatchObject({ status: 502, name: 'Problem' })
  })
})
