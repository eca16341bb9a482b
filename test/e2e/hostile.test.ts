import { beforeAll, afterAll, describe, expect, it } from 'vitest'
import { refusals } from '#contracts/refusals.ts'
import { Remuda } from '#test/support/remuda.ts'

interface Operation {
  readonly method: string
  readonly path: string
  readonly takesBody: boolean
  readonly isPublic: boolean
}

// What is asked of every route: none of it may be taken, break anything, or be answered with a stack.
const json = 'application/json'
const bodies: readonly (readonly [what: string, text: string, type: string])[] = [
  ['nothing', '', json],
  ['no JSON', '{"a":', json],
  ['a list', '[]', json],
  ['null', 'null', json],
  ['a number', '7', json],
  ['a prototype', '{"__proto__":{"admin":true}}', json],
  ['unknown fields', '{"surprise":true,"constructor":1}', json],
  ['deep nesting', `${'['.repeat(500)}${']'.repeat(500)}`, json],
  ['wrong types', '{"id":{},"name":[],"roles":"web","policy":7,"steps":{},"version":null,"reason":1}', json],
  ['another type', 'a=b', 'application/x-www-form-urlencoded'],
]
const ids = [
  'x',
  '%00',
  '..%2f..%2fetc',
  'a'.repeat(300),
  '%F0%9F%90%B4',
  "';--",
  '00000000-0000-7000-8000-000000000000',
]
/** What only asks, though by a body that a GET has no room for: who may read may ask it. */
const questions = /\/policy\/(backtest|what-if)$/
const bodyMaxBytes = 256 * 1024

describe('every route of the API', () => {
  let remuda: Remuda
  let operations: readonly Operation[]
  let admin: string
  let reader: string

  beforeAll(async () => {
    // What is asked here in a second is more than a caller may; that is another test's matter.
    const rates = ['requests-per-second', 'requests-burst', 'anonymous-per-second', 'anonymous-burst']
    remuda = await Remuda.start(rates.flatMap((rate) => [`--${rate}`, '1000000']))
    const spec = (await (await fetch(`${remuda.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { requestBody?: unknown; security?: readonly unknown[] }>>
    }
    operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody, security }]) => ({
        method: method.toUpperCase(),
        path,
        takesBody: requestBody !== undefined,
        isPublic: security?.length === 0,
      })),
    )
    admin = (await remuda.ask<{ token: string }>('POST', 'tokens', { name: 'admin', scope: 'admin' })).token
    reader = (await remuda.ask<{ token: string }>('POST', 'tokens', { name: 'reader', scope: 'read' })).token
  })
  afterAll(() => remuda[Symbol.asyncDispose]())

  const send = async (
    { method, path }: Operation,
    {
      token = admin,
      id = 'x',
      body,
      type = json,
    }: { token?: string | null; id?: string; body?: string; type?: string },
  ) => {
    const address = remuda.url + path.replaceAll(/\{\w+\}/g, id)
    const credential = token === null ? {} : { authorization: `Bearer ${token}` }
    const content = body === undefined || method === 'GET' ? {} : { body }
    const contentType = body === undefined ? {} : { 'content-type': type }
    const headers = { ...credential, ...contentType, accept: 'application/json' }
    const response = await fetch(address, { method, headers, ...content, signal: AbortSignal.timeout(10_000) })
    if (response.headers.get('content-type')?.includes('event-stream')) {
      await response.body?.cancel()
      return { status: response.status, text: '' }
    }
    return { status: response.status, text: await response.text() }
  }
  const isProblem = (text: string) => Object.hasOwn(refusals, (JSON.parse(text) as { code: string }).code)

  it('is described', () => {
    expect(operations.length).toBeGreaterThan(45)
  })

  it('refuses who shows no credential, or a wrong one', async () => {
    for (const operation of operations.filter(({ isPublic }) => !isPublic))
      for (const token of [null, 'nonsense', `${admin.slice(0, -1)}x`]) {
        const { status, text } = await send(operation, { token })
        expect(status, `${operation.method} ${operation.path}`).toBe(401)
        expect(isProblem(text)).toBe(true)
      }
  })

  it('lets nobody change anything who may only read', async () => {
    for (const operation of operations.filter(({ method, isPublic }) => method !== 'GET' && !isPublic)) {
      const { status } = await send(operation, { token: reader, body: '{}' })
      const about = `${operation.method} ${operation.path}`
      if (questions.test(operation.path)) expect([400, 404], about).toContain(status)
      else expect(status, about).toBe(403)
    }
  })

  it.each(bodies)('answers %s with a problem of the one who asks', async (_, body, type) => {
    for (const operation of operations.filter(({ method }) => method !== 'GET')) {
      const { status, text } = await send(operation, { body, type })
      const about = `${operation.method} ${operation.path}: ${status} ${text.slice(0, 200)}`
      expect(status, about).toBeLessThan(500)
      if (status >= 400) expect(isProblem(text), about).toBe(true)
      expect(text, about).not.toMatch(/ at .*\.ts:\d+/)
    }
  })

  it.each(ids)('is not moved by the id %s', async (id) => {
    for (const operation of operations) {
      const { status, text } = await send(operation, { id, body: '{}' })
      expect(status, `${operation.method} ${operation.path}: ${text.slice(0, 200)}`).toBeLessThan(500)
    }
  })

  it('takes no more than it can hold', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(bodyMaxBytes + 1) })
    for (const operation of operations.filter(({ takesBody }) => takesBody)) {
      const { status } = await send(operation, { body })
      expect(status, `${operation.method} ${operation.path}`).toBe(413)
    }
  })

  it('has stored nothing of all that but what is right', async () => {
    const { items } = await remuda.ask<{ items: { type: string }[] }>('GET', 'events?limit=1000')
    expect([...new Set(items.map(({ type }) => type))]).toEqual(['TokenCreated'])
  })
})
