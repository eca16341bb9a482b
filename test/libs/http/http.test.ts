import { connect } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { refusals } from '#contracts/refusals.ts'
import { BusFault } from '#libs/bus/bus.ts'
import { causeOf, sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import { listen, type Http } from '#libs/http/http.ts'
import { silentLog, type Log } from '#libs/log.ts'
import { StoreFault } from '#libs/store/store.ts'
import { as, testHttp } from '#test/support/http.ts'

const described = { tags: ['herd'], summary: 'A route of the test', response: { 200: z.looseObject({}) } }
const horse = z.strictObject({ name: z.string().max(20), age: z.int().min(0).optional() })

const routes = (app: Http) => {
  app.get('/v1/horses', { config: { scope: 'read' }, schema: described }, () => ({ horses: [] }))
  app.get('/v1/horses/:id', { config: { scope: 'read' }, schema: described }, ({ params }) => ({ params }))
  app.post('/v1/horses', { config: { scope: 'write' }, schema: { ...described, body: horse } }, ({ body }) => ({
    body,
  }))
  app.delete('/v1/horses/:id', { config: { scope: 'admin' }, schema: described }, () => ({}))
  app.get('/v1/fault', { config: { scope: 'read' }, schema: described }, () => {
    throw new Error('the password is hunter2')
  })
  app.get('/v1/bus', { config: { scope: 'read' }, schema: described }, () => {
    throw new BusFault('timeout', 'nobody at 10.1.2.3')
  })
  app.get('/v1/store', { config: { scope: 'read' }, schema: described }, () => {
    throw new StoreFault('disk full')
  })
  app.get('/v1/slow', { config: { scope: 'read' }, schema: described }, () => new Promise(() => {}))
  app.get(
    '/v1/misshapen',
    { config: { scope: 'read' }, schema: { ...described, response: { 200: z.object({ n: z.int() }) } } },
    () => JSON.parse('{"n":"one"}'),
  )
}
const json = { ...as('writer'), 'content-type': 'application/json' }

describe('a credential', () => {
  it('is needed for every route that is not public', async () => {
    const app = await testHttp(routes)
    for (const url of ['/v1/horses', '/v1/horses/1', '/metrics']) {
      for (const method of ['GET', 'HEAD'] as const) {
        const reply = await app.inject({ method, url })
        expect([reply.statusCode, reply.headers['www-authenticate']]).toEqual([401, 'Bearer'])
      }
    }
    expect((await app.inject('/v1/horses')).json().code).toBe('CREDENTIAL_MISSING')
  })
  it.each(['Bearer nobody', 'Bearer', 'Basic cmVhZGVyOg==', 'reader', `Bearer ${'x'.repeat(600)}`])(
    '"%s" is not valid',
    async (authorization) => {
      const app = await testHttp(routes)
      const reply = await app.inject({ url: '/v1/horses', headers: { authorization } })
      expect([reply.statusCode, reply.json().code]).toEqual([401, 'CREDENTIAL_INVALID'])
    },
  )
  it('must have the scope that the route declares, or a higher one', async () => {
    const app = await testHttp(routes)
    const status = async (method: 'GET' | 'POST' | 'DELETE', url: string, caller: 'reader' | 'writer' | 'admin') =>
      (
        await app.inject({
          method,
          url,
          headers: as(caller),
          ...(method === 'POST' ? { payload: { name: 'Roan' } } : {}),
        })
      ).statusCode
    expect(await status('GET', '/v1/horses', 'reader')).toBe(200)
    expect(await status('POST', '/v1/horses', 'reader')).toBe(403)
    expect(await status('POST', '/v1/horses', 'writer')).toBe(200)
    expect(await status('DELETE', '/v1/horses/1', 'writer')).toBe(403)
    expect(await status('DELETE', '/v1/horses/1', 'admin')).toBe(200)
    expect(await status('GET', '/v1/horses', 'admin')).toBe(200)
  })
  it('is asked for before anything of the request is read', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/horses',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    })
    expect(reply.statusCode).toBe(401)
  })
})

describe('a problem', () => {
  it('says what is wrong, which request it was and where, as RFC 9457 asks', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject({ url: '/v1/nothing?secret=1', headers: { 'x-request-id': 'abc.1' } })
    expect(reply.headers['content-type']).toBe('application/problem+json')
    expect(reply.headers['x-request-id']).toBe('abc.1')
    expect(reply.json()).toEqual({
      type: '/problems/ROUTE_UNKNOWN',
      title: refusals.ROUTE_UNKNOWN.sentence,
      status: 404,
      detail: 'There is nothing to GET here.',
      code: 'ROUTE_UNKNOWN',
      instance: '/v1/nothing',
      requestId: 'abc.1',
    })
  })
  it('names every field that is wrong and what is accepted', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/horses',
      headers: json,
      payload: { name: 5, age: -1, colour: 'bay' },
    })
    expect([reply.statusCode, reply.json().code]).toEqual([400, 'REQUEST_INVALID'])
    expect(reply.json().errors).toEqual([
      { path: 'body.name', message: expect.stringContaining('expected string') },
      { path: 'body.age', message: expect.stringContaining('>=0') },
      { path: 'body.colour', message: 'Unknown field: accepted are name, age' },
    ])
  })
  it('says that fields are missing when there is no body at all', async () => {
    const app = await testHttp(routes)
    for (const headers of [as('writer'), json]) {
      const reply = await app.inject({ method: 'POST', url: '/v1/horses', headers })
      expect(reply.json().errors[0].path).toBe('body.name')
    }
  })
  it('answers a wrong method with those that are taken', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject({ method: 'PUT', url: '/v1/horses/1', headers: as('admin') })
    expect([reply.statusCode, reply.json().code, reply.headers.allow]).toEqual([
      405,
      'METHOD_NOT_ALLOWED',
      'DELETE, GET, HEAD',
    ])
  })
  it('never shows what went wrong inside, and logs it', async () => {
    const error = vi.fn()
    const log: Log = { ...silentLog, error }
    const app = await testHttp(routes, { log })
    const reply = await app.inject({ url: '/v1/fault', headers: as('reader') })
    expect([reply.statusCode, reply.json().code]).toEqual([500, 'FAULT'])
    expect(reply.body).not.toContain('hunter2')
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ requestId: reply.json().requestId }), 'request failed')
  })
  it.each(['/v1/bus', '/v1/store'])('asks to come back when a part does not answer: %s', async (url) => {
    const app = await testHttp(routes)
    const reply = await app.inject({ url, headers: as('reader') })
    expect([reply.statusCode, reply.json().code, reply.headers['retry-after']]).toEqual([
      503,
      'SERVICE_UNAVAILABLE',
      '1',
    ])
    expect(reply.body).not.toMatch(/10\.1\.2\.3|disk/)
  })
  it('is what a route that does not end gets', async () => {
    const app = await testHttp(routes, { limits: { answerMs: 20 } })
    const reply = await app.inject({ url: '/v1/slow', headers: as('reader') })
    expect(reply.json().code).toBe('SERVICE_UNAVAILABLE')
  })
  it('is what an answer of the wrong shape becomes', async () => {
    const app = await testHttp(routes)
    expect((await app.inject({ url: '/v1/misshapen', headers: as('reader') })).json().code).toBe('FAULT')
  })
})

describe('a request that is not acceptable', () => {
  const post = (app: Http, payload: string, type = 'application/json') =>
    app.inject({ method: 'POST', url: '/v1/horses', headers: { ...as('writer'), 'content-type': type }, payload })

  it.each([
    ['malformed JSON', '{"name":', 'application/json', 'REQUEST_INVALID'],
    ['a prototype', '{"name":"a","__proto__":{"admin":true}}', 'application/json', 'REQUEST_INVALID'],
    ['a constructor', '{"name":"a","constructor":{"prototype":{}}}', 'application/json', 'REQUEST_INVALID'],
    ['nesting without end', `{"name":${'['.repeat(30)}${']'.repeat(30)}}`, 'application/json', 'REQUEST_INVALID'],
    ['plain text', '{"name":"a"}', 'text/plain', 'MEDIA_TYPE_UNSUPPORTED'],
    ['a form', 'name=a', 'application/x-www-form-urlencoded', 'MEDIA_TYPE_UNSUPPORTED'],
    ['too much', `{"name":"${'a'.repeat(300_000)}"}`, 'application/json', 'BODY_TOO_LARGE'],
  ] as const)('is refused: %s', async (_, payload, type, code) => {
    const app = await testHttp(routes)
    const reply = await post(app, payload, type)
    expect([reply.json().code, reply.statusCode]).toEqual([code, refusals[code].status])
  })
  it('may say its type in any of the ways there are', async () => {
    const app = await testHttp(routes)
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/cloudevents+json']) {
      expect((await post(app, '{"name":"Roan"}', type)).statusCode).toBe(200)
    }
  })
  it('is refused with a query that is not declared, a long address or a broken one', async () => {
    const app = await testHttp(routes)
    const get = (url: string) => app.inject({ url, headers: as('reader') })
    expect((await get('/v1/horses?colour=bay')).json().errors[0].path).toBe('querystring.colour')
    expect((await get(`/v1/horses/${'a'.repeat(2_100)}`)).json().code).toBe('BODY_TOO_LARGE')
    expect((await get('/v1/horses/%zz')).json().code).toBe('REQUEST_INVALID')
  })
  it('does not choose an id for itself that would forge a log', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b"' } })
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }, 200],
    [{ host: 'remuda.example:4780', origin: 'https://remuda.example:4780' }, 200],
    [{}, 200],
  ])('comes from a page of another site: %j', async (headers, status) => {
    const app = await testHttp(routes)
    const reply = await app.inject({
      method: 'POST',
      url: '/v1/horses',
      headers: { host: 'localhost', ...as('writer'), ...headers },
      payload: { name: 'a' },
    })
    expect(reply.statusCode).toBe(status)
  })
})

describe('the rate of requests', () => {
  it('is limited by credential, and the caller is told when to come back', async () => {
    const app = await testHttp(routes, { limits: { requestsBurst: 3, requestsPerSecond: 0.1 } })
    const get = (caller: 'reader' | 'writer') => app.inject({ url: '/v1/horses', headers: as(caller) })
    const statuses = []
    for (let n = 0; n < 4; n++) statuses.push((await get('reader')).statusCode)
    expect(statuses).toEqual([200, 200, 200, 429])
    expect(Number((await get('reader')).headers['retry-after'])).toBeGreaterThan(1)
    expect((await get('writer')).statusCode).toBe(200)
  })
  it('is limited by address for those who guess', async () => {
    const app = await testHttp(routes, { limits: { anonymousBurst: 2, anonymousPerSecond: 0.1 } })
    const guess = () => app.inject({ url: '/v1/horses', headers: { authorization: 'Bearer guess' } })
    const statuses = [await guess(), await guess(), await guess()].map(({ statusCode }) => statusCode)
    expect(statuses).toEqual([401, 401, 429])
  })
})

describe('a route that is not declared in full does not start', () => {
  it.each([
    ['a scope', { schema: described }],
    ['either a scope or public', { config: { scope: 'read', public: true }, schema: described }],
    ['a schema', { config: { scope: 'read' } }],
    ['a tag', { config: { scope: 'read' }, schema: { ...described, tags: [] } }],
    ['a summary', { config: { scope: 'read' }, schema: { ...described, summary: '' } }],
    ['its answers', { config: { scope: 'read' }, schema: { tags: ['a'], summary: 'b' } }],
    ['a strict query', { config: { scope: 'read' }, schema: { ...described, querystring: z.object({}) } }],
  ] as const)('without %s', async (_, options) => {
    await expect(testHttp((app) => void app.get('/v1/stray', options as object, () => ({})))).rejects.toThrow(
      '/v1/stray',
    )
  })
})

describe('answers to commands', () => {
  const answers = (app: Http) => {
    const schema = { ...described, response: { 201: z.looseObject({}) } }
    app.post('/v1/accepted', { config: { scope: 'write' }, schema }, (_, reply) =>
      sendAnswer(reply, { accepted: true, position: 7, result: { horseId: 'roan' } }, { status: 201 }),
    )
    app.post('/v1/refused', { config: { scope: 'write' }, schema }, (_, reply) =>
      sendRefusal(reply, { refused: 'MACHINE_UNKNOWN', detail: 'No roan here.' }),
    )
    app.post(
      '/v1/cause',
      { config: { scope: 'write' }, schema },
      (request, reply) => void reply.code(201).send({ ...causeOf(request) }),
    )
  }
  it('carry the result and the position, or the refusal with its status', async () => {
    const app = await testHttp(answers)
    const accepted = await app.inject({ method: 'POST', url: '/v1/accepted', headers: as('writer') })
    expect([accepted.statusCode, accepted.json(), accepted.headers['remuda-position']]).toEqual([
      201,
      { horseId: 'roan', position: 7 },
      '7',
    ])
    const refused = await app.inject({ method: 'POST', url: '/v1/refused', headers: as('writer') })
    expect([refused.statusCode, refused.json().code, refused.json().detail]).toEqual([
      404,
      'MACHINE_UNKNOWN',
      'No roan here.',
    ])
  })
  it('have a cause whose id follows from the idempotency key, the caller and the address', async () => {
    const app = await testHttp(answers)
    const cause = async (key: string | undefined, caller: 'writer' | 'admin' = 'writer') =>
      (
        await app.inject({
          method: 'POST',
          url: '/v1/cause',
          headers: { ...as(caller), ...(key ? { 'idempotency-key': key } : {}), 'x-request-id': 'r1' },
        })
      ).json()
    expect(await cause('k1')).toEqual({
      actor: 'token:writer',
      commandId: expect.any(String),
      correlationId: 'r1',
      causationId: null,
    })
    expect((await cause('k1')).commandId).toBe((await cause('k1')).commandId)
    expect((await cause('k2')).commandId).not.toBe((await cause('k1')).commandId)
    expect((await cause('k1', 'admin')).commandId).not.toBe((await cause('k1')).commandId)
    expect((await cause(undefined)).commandId).not.toBe((await cause(undefined)).commandId)
    expect((await cause('x'.repeat(300))).code).toBe('REQUEST_INVALID')
  })
})

describe('a server that listens', () => {
  it('answers on this machine only, unless told, and closes within the scope', async () => {
    const app = await testHttp(routes)
    let url: string
    {
      await using listening = await listen(app, { port: 0 })
      url = listening.url
      expect(url).toBe(`http://127.0.0.1:${listening.port}`)
      expect((await fetch(`${url}/healthz`)).status).toBe(200)
      expect((await fetch(`${url}/v1/horses`, { headers: as('reader') })).status).toBe(200)
    }
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  })
  it('answers in its own words what cannot be read as HTTP, and headers that are too large', async () => {
    const app = await testHttp(routes)
    await using listening = await listen(app, { port: 0 })
    const answer = (text: string) =>
      new Promise<string>((resolve, reject) => {
        let received = ''
        connect(listening.port, '127.0.0.1')
          .on('data', (chunk) => void (received += chunk))
          .on('close', () => resolve(received))
          .on('error', reject)
          .end(text)
      })
    expect(await answer('nonsense\r\n\r\n')).toContain('REQUEST_INVALID')
    expect(await answer(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toContain('BODY_TOO_LARGE')
  })
})
