import { describe, expect, it } from 'vitest'
import { systemClock } from '#libs/systemClock.ts'
import { createClient, path } from '../../../services/cli/client.ts'
import { clientOf, problem, serve } from './support.ts'

describe('the client', () => {
  it('repeats a write that was not answered with the same Idempotency-Key', async () => {
    const keys: unknown[] = []
    const server = await serve((app) => {
      app.post('/v1/environments', (request, reply) => {
        keys.push(request.headers['idempotency-key'])
        if (keys.length === 1) return reply.raw.destroy()
        if (keys.length === 2) return reply.code(503).send(problem(503, 'SERVICE_UNAVAILABLE', 'Not yet.'))
        return reply.code(201).send({ position: 7 })
      })
    })
    const { body } = await clientOf(server).send('POST', 'environments', { id: 'production' })
    expect(body).toEqual({ position: 7 })
    expect(keys).toHaveLength(3)
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(new Set(keys).size).toBe(1)
  })
  it('does not repeat what was refused', async () => {
    let asked = 0
    const server = await serve((app) => {
      app.post('/v1/machines', (_, reply) =>
        reply.code(409).send(problem(409, 'MACHINE_NAME_TAKEN', `Try ${++asked}.`)),
      )
    })
    const sent = clientOf(server).send('POST', 'machines', {})
    await expect(sent).rejects.toMatchObject({ code: 'MACHINE_NAME_TAKEN', status: 409, exit: 2, message: 'Try 1.' })
    expect(asked).toBe(1)
  })
  it('reads what it wrote', async () => {
    const asked: unknown[] = []
    const server = await serve((app) => {
      app.post('/v1/projects', (_, reply) => reply.header('remuda-position', 42).send({}))
      app.get('/v1/projects', (request) => (asked.push(request.query), { items: [], next: null }))
      app.get('/v1/events', (request) => (asked.push(request.query), { items: [], next: null }))
    })
    const client = clientOf(server)
    await client.get('projects')
    await client.send('POST', 'projects', {})
    await client.get('projects', { limit: 3 })
    await client.get('events')
    expect(asked).toEqual([{}, { minPosition: '42', limit: '3' }, {}])
  })
  it('reads every page, and is not sent in a circle', async () => {
    const server = await serve((app) => {
      app.get<{ Querystring: { cursor?: string } }>('/v1/machines', ({ query: { cursor = '1' } }) => ({
        items: [Number(cursor)],
        next: cursor === '3' ? null : String(Number(cursor) + 1),
      }))
      app.get('/v1/tokens', () => ({ items: [1], next: 'again' }))
    })
    const client = clientOf(server)
    expect(await Array.fromAsync(client.rows('machines'))).toEqual([1, 2, 3])
    await expect(Array.fromAsync(client.rows('tokens'))).rejects.toMatchObject({ code: 'ANSWER_UNREADABLE' })
  })
  it('gives up on a server that never answers', async () => {
    const server = await serve((app) => {
      app.get('/v1/overview', () => new Promise(() => {}))
    })
    const client = createClient({ server, token: null, clock: systemClock, answerMaxMs: 30, attemptsMax: 2 })
    await expect(client.get('overview')).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', exit: 69 })
  })
  it('gives up on an answer that never ends', async () => {
    const server = await serve((app) => {
      app.get('/v1/overview', (_, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'application/json' })
        reply.raw.write('{')
      })
    })
    const client = createClient({ server, token: null, clock: systemClock, answerMaxMs: 100, attemptsMax: 1 })
    await expect(client.get('overview')).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' })
  })
  it('waits as long as the server asks for', async () => {
    const at: number[] = []
    const server = await serve((app) => {
      app.get('/v1/overview', (_, reply) => {
        at.push(systemClock.steadyMs())
        if (at.length > 1) return { ok: true }
        return reply
          .code(429)
          .header('retry-after', '1')
          .send(problem(429, 'TOO_MANY_REQUESTS', 'Slowly.'))
      })
    })
    expect(await clientOf(server).get('overview')).toEqual({ ok: true })
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(999)
  })
  it('never follows the server elsewhere with its credential', async () => {
    const strangers: unknown[] = []
    const stranger = await serve((app) => {
      app.get('/*', ({ headers }) => (strangers.push(headers.authorization), {}))
    })
    const server = await serve((app) => {
      app.get('/v1/overview', (_, reply) => reply.redirect(`${stranger}/v1/overview`))
    })
    const client = createClient({ server, token: 'secret', clock: systemClock, attemptsMax: 1 })
    await expect(client.get('overview')).rejects.toMatchObject({ exit: 69 })
    expect(strangers).toEqual([])
  })
  it('makes addresses that no name can break out of', () => {
    expect(path`machines/${'../tokens?x=1'}/history`).toBe('machines/..%2Ftokens%3Fx%3D1/history')
  })
})
