import { describe, expect, it, onTestFinished } from 'vitest'
import { deploymentRoutes } from '#services/deployment/routes.ts'
import { startDeployment } from '#services/deployment/service.ts'
import { queryRoutes } from '#services/query/routes.ts'
import { startQuery } from '#services/query/service.ts'
import { testPlatform } from '#test/services/registry/platform.ts'
import { as, testHttp } from '#test/support/http.ts'

const content = (script: string) => ({
  parameters: { whom: { type: 'text', required: true } },
  step: { kind: 'script', environment: { WHOM: '((whom))' }, script },
})
const steps = (version: number | 'latest' = 'latest', values: object = { whom: 'you' }) => ({
  steps: [{ id: 'greet', kind: 'template', template: 'greet', version, with: values }],
})

/** The API over the services that answer it. */
async function serve() {
  const platform = testPlatform()
  const deployment = await startDeployment(platform)
  onTestFinished(() => deployment[Symbol.asyncDispose]())
  const query = await startQuery(platform, { databaseFile: ':memory:', version: '1' })
  onTestFinished(() => query[Symbol.asyncDispose]())
  const app = await testHttp((http) => {
    void http.register(deploymentRoutes({ ask: platform.ask }))
    void http.register(queryRoutes({ query, ...platform }))
  })
  let position = 0
  const call = async (
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) => {
    const url = method === 'GET' ? `/v1/${path}?minPosition=${position}` : `/v1/${path}`
    const reply = await app.inject({
      method,
      url,
      headers: { ...as('admin'), ...headers },
      ...(body && { payload: body }),
    })
    position = Math.max(position, Number(reply.headers['remuda-position'] ?? 0))
    return { status: reply.statusCode, etag: reply.headers['etag'], body: reply.json() }
  }
  const save = (script: string, headers: Record<string, string> = {}, more: object = {}) =>
    call('PUT', 'templates/greet', { content: content(script), ...more }, headers)
  return { call, save }
}

describe('the library of templates', () => {
  it('keeps each version, and shows the newest with what a change may name', async () => {
    const { call, save } = await serve()
    expect(await save('one', { 'if-match': '"0"' })).toMatchObject({ status: 200, body: { name: 'greet', version: 1 } })
    expect((await save('two', { 'if-match': '"0"' })).status).toBe(412)
    expect((await save('two', { 'if-match': '"1"' })).body).toMatchObject({ version: 2 })
    expect((await save('two')).body).toMatchObject({ version: 2 })
    expect((await save('nine', {}, { version: 9 })).body).toMatchObject({ version: 9 })
    expect((await save('ten', {}, { version: 9 })).body).toMatchObject({ code: 'TEMPLATE_VERSION_TAKEN' })
    expect(await call('GET', 'templates/greet')).toMatchObject({
      etag: '"9"',
      body: { version: 9, savedBy: 'token:admin' },
    })
    const { body } = await call('GET', 'templates/greet/versions')
    expect(body.items.map(({ version }: { version: number }) => version)).toEqual([9, 2, 1])
    expect((await call('GET', 'templates/greet/versions/1')).body).toMatchObject({ step: { script: 'one' } })
    expect((await call('GET', 'templates')).body.items).toMatchObject([{ name: 'greet', version: 9 }])
  })

  it('answers the same request with what it answered before', async () => {
    const { save } = await serve()
    const key = { 'idempotency-key': 'once' }
    const first = await save('one', key)
    await save('two')
    expect((await save('one', key)).status).toBe(first.status)
    expect((await save('three', key)).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  it('tells where a template is wrong that could give no step', async () => {
    const { call } = await serve()
    const wrong = { content: { parameters: {}, step: { kind: 'script', script: 'x', tiemLimitMs: 1 } } }
    expect((await call('PUT', 'templates/greet', wrong)).body).toMatchObject({
      code: 'REQUEST_INVALID',
      errors: [{ path: 'body.content.step.tiemLimitMs', message: 'there is no such setting' }],
    })
  })

  it('shows no longer what was deleted, but for the versions that steps came from', async () => {
    const { call, save } = await serve()
    await save('one')
    expect((await call('DELETE', 'templates/greet?reason=old')).status).toBe(200)
    expect((await call('GET', 'templates/greet')).body).toMatchObject({ code: 'TEMPLATE_UNKNOWN' })
    expect((await call('GET', 'templates')).body.items).toEqual([])
    expect((await call('GET', 'templates/greet/versions/1')).status).toBe(200)
    expect((await call('GET', 'templates/greet/versions/2')).status).toBe(404)
    expect((await call('DELETE', 'templates/never')).status).toBe(404)
    expect((await save('one')).body).toMatchObject({ version: 2 })
  })
})

describe('a process that names a template', () => {
  it('is kept, and released, as what the template said then', async () => {
    const { call, save } = await serve()
    await save('one')
    await call('POST', 'projects', { id: 'shop' })
    expect((await call('PUT', 'projects/shop/process', steps())).status).toBe(200)
    await call('POST', 'projects/shop/releases', { version: '1.0' })
    await save('two')
    await call('DELETE', 'templates/greet')
    const made = { kind: 'script', script: 'one', environment: { WHOM: 'you' } }
    const origin = { template: { name: 'greet', version: 1, latest: true, with: { whom: 'you' } } }
    const shown = (await call('GET', 'projects/shop/process')).body
    expect(shown.steps).toMatchObject([{ id: 'greet', ...made, ...origin }])
    expect((await call('GET', 'projects/shop/releases')).body.items[0].process).toEqual(shown)
    // What is shown can be sent back, which changes nothing.
    expect((await call('PUT', 'projects/shop/process', shown)).status).toBe(200)
    expect((await call('GET', 'projects/shop/process')).etag).toBe('"1"')
  })

  it('is refused with the parameter that is wrong', async () => {
    const { call, save } = await serve()
    await save('one')
    await call('POST', 'projects', { id: 'shop' })
    expect((await call('PUT', 'projects/shop/process', steps(1, { whom: 'a\nb' }))).body).toMatchObject({
      code: 'PROCESS_INVALID',
      detail: 'step greet: with.whom: expected a single line',
    })
    expect((await call('PUT', 'projects/none/process', steps())).body).toMatchObject({ code: 'PROJECT_UNKNOWN' })
  })
})
