import { readFileSync } from 'node:fs'
import { WebSocket } from 'ws'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { listen, type Http } from '#libs/http/http.ts'
import { as, testHttp } from '#test/support/http.ts'

const schema = { tags: ['herd'], summary: 'A route of the test', response: { 200: z.object({ ok: z.boolean() }) } }
const routes = (app: Http) => {
  app.get('/v1/horses', { config: { scope: 'read' }, schema }, () => ({ ok: true }))
  app.post(
    '/v1/horses',
    { config: { scope: 'write' }, schema: { ...schema, body: z.strictObject({ name: z.string() }) } },
    () => ({ ok: true }),
  )
  app.post('/v1/join', { config: { public: true }, schema }, () => ({ ok: true }))
  app.get('/v1/socket', { config: { scope: 'write' }, websocket: true }, (socket) => {
    socket.on('message', (text: Buffer) => socket.send(`heard ${text.length}`))
  })
}

describe('the description of the API', () => {
  it('names every route with its credential, its answers and its problems', async () => {
    const app = await testHttp(routes)
    const document = (await app.inject('/openapi.json')).json()
    expect(document.openapi).toBe('3.1.0')
    expect(document.info.version).toBe('1.2.3')
    expect(Object.keys(document.paths)).toEqual(['/v1/horses', '/v1/join'])
    expect(document.security).toEqual([{ bearer: [] }])
    expect(document.paths['/v1/join'].post.security).toEqual([])
    const { post } = document.paths['/v1/horses']
    expect(Object.keys(post.responses)).toEqual(['200', '4XX', '5XX'])
    expect(post.responses['4XX'].content['application/problem+json'].schema.$ref).toBe('#/components/schemas/Problem')
    expect(document.components.schemas.Problem.properties.code.enum).toContain('MACHINE_UNKNOWN')
    expect(post.parameters[0].name).toBe('idempotency-key')
    expect(post.requestBody.content['application/json'].schema.additionalProperties).toBe(false)
  })
  it('has beside it what goes over the bus, as it was generated and checked', async () => {
    const app = await testHttp(routes)
    const reply = await app.inject('/asyncapi.json')
    expect([reply.statusCode, reply.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(reply.body).toBe(readFileSync('contracts/generated/asyncapi.json', 'utf8'))
    expect(reply.json().asyncapi).toBe('3.0.0')
  })
  it('can be read on a page that loads nothing from elsewhere', async () => {
    const app = await testHttp(routes)
    const page = await app.inject('/docs/')
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toMatch(/src="https?:/)
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toMatch(/script-src 'self' 'sha256-/)
    expect(policy).not.toContain("script-src 'self' 'unsafe-inline'")
    const script = await app.inject('/docs/js/scalar.js')
    expect(script.headers['content-type']).toContain('javascript')
  })
})

describe('security headers', () => {
  it('keep pages of others out and scripts of others away', async () => {
    const app = await testHttp(routes)
    const { headers } = await app.inject('/healthz')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['strict-transport-security']).toBeUndefined()
  })
})

describe('vital signs', () => {
  it('tell that the process runs, to anyone', async () => {
    const app = await testHttp(routes)
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok', version: '1.2.3' })
  })
  it('tell what is not ready, with a deadline for those who do not answer', async () => {
    const app = await testHttp(routes, { limits: { readinessMs: 20 } })
    app.vitals.addReadiness('store', async () => null)
    expect((await app.inject('/readyz')).json()).toEqual({ status: 'ready', checks: ['store'] })
    app.vitals.addReadiness('bus', async () => 'not connected')
    app.vitals.addReadiness('views', () => new Promise(() => {}))
    app.vitals.addReadiness('hooks', () => Promise.reject(new Error('secret')))
    const reply = await app.inject('/readyz')
    expect([reply.statusCode, reply.json().code]).toEqual([503, 'SERVICE_UNAVAILABLE'])
    expect(reply.json().errors).toEqual([
      { path: 'bus', message: 'not connected' },
      { path: 'views', message: 'no answer within 20 ms' },
      { path: 'hooks', message: 'failed; the log says more' },
    ])
  })
  it('count requests by route and not by address', async () => {
    const app = await testHttp(routes)
    await app.inject({ url: '/v1/horses', headers: as('reader') })
    await app.inject('/v1/elsewhere')
    const { body } = await app.inject({ url: '/metrics', headers: as('reader') })
    expect(body).toContain('remuda_http_request_seconds_count{method="GET",route="/v1/horses",status="200"} 1')
    expect(body).not.toContain('elsewhere')
    expect(body).toContain('remuda_process_cpu_seconds_total')
  })
})

describe('a socket', () => {
  const open = async (headers: Record<string, string>) => {
    const app = await testHttp(routes, { limits: { socketMessageMaxBytes: 1_024 } })
    const { port } = await listen(app, { port: 0 })
    return new WebSocket(`ws://127.0.0.1:${port}/v1/socket`, { headers })
  }
  const event = (socket: WebSocket, name: string) =>
    new Promise<unknown[]>((resolve) => void socket.once(name, (...what: unknown[]) => resolve(what)))

  it('opens for a credential', async () => {
    const socket = await open(as('writer'))
    await event(socket, 'open')
    socket.send('hello')
    expect(String((await event(socket, 'message'))[0])).toBe('heard 5')
  })
  it.each([
    ['without a credential', {}, '401'],
    ['without the scope', as('reader'), '403'],
    ['for a page of another site', { ...as('writer'), origin: 'https://evil.example' }, '403'],
  ])('does not open %s', async (_, headers, status) => {
    const socket = await open(headers)
    expect(String((await event(socket, 'error'))[0])).toContain(status)
  })
  it('takes no message beyond its limit', async () => {
    const socket = await open(as('writer'))
    await event(socket, 'open')
    socket.send('x'.repeat(2_000))
    const [code] = await event(socket, 'close')
    expect(code).not.toBe(1000)
  })
})
