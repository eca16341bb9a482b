import { describe, expect, it, onTestFinished } from 'vitest'
import { registryRoutes } from '#services/registry/routes.ts'
import { startRegistry } from '#services/registry/service.ts'
import { as, testHttp } from '#test/support/http.ts'
import { cause, testPlatform } from './platform.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

async function api() {
  const platform = testPlatform()
  const service = await startRegistry(platform)
  onTestFinished(() => service[Symbol.asyncDispose]())
  const app = await testHttp((http) => void http.register(registryRoutes(platform)))
  const send = async (method: Method, url: string, payload?: object, headers: Record<string, string> = {}) => {
    const reply = await app.inject({
      method,
      url,
      headers: { ...as('admin'), ...headers },
      ...(payload && { payload }),
    })
    return { status: reply.statusCode, headers: reply.headers, body: reply.json() }
  }
  const events = async () => platform.store.readAll(0, 1_000)
  return { app, send, events, platform }
}
const staging = { id: 'staging', name: 'Staging' }
const web = { id: 'm-1', name: 'web', environmentId: 'staging', roles: ['web'] }

async function fleet() {
  const it = await api()
  await it.send('POST', '/v1/environments', staging)
  await it.send('POST', '/v1/machines', web)
  return it
}

describe('environments', () => {
  it('are created with a whole policy', async () => {
    const { send } = await api()
    const { status, headers, body } = await send('POST', '/v1/environments', { id: 'staging' })
    expect([status, headers['etag'], headers['remuda-position']]).toEqual([201, '"1"', '1'])
    expect(body).toMatchObject({ environmentId: 'staging', name: 'staging', policyVersion: 1, position: 1 })
    expect(body.policy.health.heartbeatEveryMs).toBe(10_000)
  })
  it('are not created twice', async () => {
    const { send } = await fleet()
    expect(await send('POST', '/v1/environments', staging)).toMatchObject({
      status: 409,
      body: { code: 'ENVIRONMENT_EXISTS' },
    })
  })
  it('are renamed', async () => {
    const { send } = await fleet()
    expect(await send('PATCH', '/v1/environments/staging', { name: 'S' })).toMatchObject({
      status: 200,
      body: { name: 'S' },
    })
    expect(await send('PATCH', '/v1/environments/moon', { name: 'S' })).toMatchObject({ status: 404 })
  })
  it('take a new policy, written as people write durations', async () => {
    const { send } = await fleet()
    const { status, headers, body } = await send('PUT', '/v1/environments/staging/policy', {
      health: { heartbeatEveryMs: '20s' },
    })
    expect([status, headers['etag'], body.policyVersion, body.policy.health.heartbeatEveryMs]).toEqual([
      200,
      '"2"',
      2,
      20_000,
    ])
  })
  it('refuse a policy that was made from an older version', async () => {
    const { send } = await fleet()
    const put = (ifMatch: string, heartbeatEveryMs: string) =>
      send('PUT', '/v1/environments/staging/policy', { health: { heartbeatEveryMs } }, { 'if-match': ifMatch })
    expect(await put('"1"', '11s')).toMatchObject({ status: 200 })
    expect(await put('"1"', '12s')).toMatchObject({ status: 412, body: { code: 'VERSION_CHANGED' } })
    expect(await put('W/"2"', '13s')).toMatchObject({ status: 200 })
    expect(await put('"x"', '14s')).toMatchObject({ status: 412, body: { code: 'VERSION_CHANGED' } })
    expect(await put('*', '15s')).toMatchObject({ status: 200, body: { policyVersion: 4 } })
  })
  it('say why a policy could never work', async () => {
    const { send } = await fleet()
    const { status, body } = await send('PUT', '/v1/environments/staging/policy', {
      health: { heartbeatEveryMs: '1h' },
    })
    expect([status, body.code]).toEqual([422, 'POLICY_IMPOSSIBLE'])
    expect(body.detail).toContain('lateAfterMs')
  })
})

describe('machines', () => {
  it('are registered under an id of their own, or one that is made for them', async () => {
    const { send } = await fleet()
    const { status, body } = await send('POST', '/v1/machines', { name: 'db', environmentId: 'staging' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      machineId: expect.stringMatching(/^m-[0-9a-f]{20}$/),
      name: 'db',
      roles: [],
      position: 3,
    })
  })
  it('are registered once, whoever loses the answer and asks again', async () => {
    const { send, events } = await fleet()
    const again = () =>
      send('POST', '/v1/machines', { name: 'db', environmentId: 'staging' }, { 'idempotency-key': 'k1' })
    const first = await again()
    const second = await again()
    expect([second.status, second.body]).toEqual([first.status, first.body])
    expect(await events()).toHaveLength(3)
  })
  it('are changed', async () => {
    const { send } = await fleet()
    expect(await send('PATCH', '/v1/machines/m-1', { roles: ['db'] })).toMatchObject({
      status: 200,
      body: { name: 'web', roles: ['db'] },
    })
  })
  it('are removed for a reason, in the body or the address, by a person', async () => {
    const { send, events } = await fleet()
    await send('POST', '/v1/machines', { ...web, id: 'm-2', name: 'db' })
    expect(await send('DELETE', '/v1/machines/m-1', { reason: 'sold' })).toMatchObject({ status: 200 })
    expect(await send('DELETE', '/v1/machines/m-2?reason=lost')).toMatchObject({ status: 200 })
    const removals = (await events()).filter(({ type }) => type === 'MachineDeregistered')
    expect(removals.map(({ data }) => (data as { cause: unknown }).cause)).toMatchObject([
      { kind: 'person', reason: 'sold' },
      { kind: 'person', reason: 'lost' },
    ])
    expect(removals[0]!.meta.actor).toBe('token:admin')
  })
  it('are restored, disabled and enabled', async () => {
    const { send, events } = await fleet()
    await send('DELETE', '/v1/machines/m-1')
    for (const action of ['restore', 'disable', 'enable'])
      expect(await send('POST', `/v1/machines/m-1/${action}`)).toMatchObject({ status: 200 })
    expect((await events()).map(({ type }) => type).slice(-4)).toEqual([
      'MachineDeregistered',
      'MachineRestored',
      'MachineDisabled',
      'MachineEnabled',
    ])
    expect(await send('POST', '/v1/machines/m-1/restore')).toMatchObject({
      status: 409,
      body: { code: 'MACHINE_NOT_REMOVED' },
    })
  })
  it('are probed, when they are registered and later, together with other changes', async () => {
    const { send, events } = await fleet()
    const tcp = { kind: 'tcp', host: '10.0.0.7', port: 22 }
    await send('POST', '/v1/machines', { ...web, id: 'm-2', name: 'db', probe: tcp })
    expect(await send('PATCH', '/v1/machines/m-2', { probe: null })).toMatchObject({ status: 200 })
    const both = { name: 'cache', probe: { kind: 'http', url: 'http://cache/health' } }
    expect(await send('PATCH', '/v1/machines/m-2', both)).toMatchObject({ status: 200, body: { name: 'cache' } })
    const types = (await events()).map(({ type }) => type).slice(2)
    expect(types).toEqual([
      ...['MachineRegistered', 'MachineProbeChanged', 'MachineProbeChanged'],
      ...['MachineChanged', 'MachineProbeChanged'],
    ])
    expect(await send('PATCH', '/v1/machines/m-2', { name: 'web', probe: tcp })).toMatchObject({ status: 409 })
    expect(await events()).toHaveLength(7)
  })
  it('are let out of quarantine for a reason', async () => {
    const { send, events, platform } = await fleet()
    await platform.ask('registry', { type: 'QuarantineMachine', data: { machineId: 'm-1', detail: 'two' } }, cause())
    expect(await send('POST', '/v1/machines/m-1/release', { reason: 'copy gone' })).toMatchObject({ status: 200 })
    expect((await events()).at(-1)).toMatchObject({ type: 'MachineReleased', data: { reason: 'copy gone' } })
    expect(await send('POST', '/v1/machines/nobody/release')).toMatchObject({ status: 404 })
  })
  it('are told which name is taken, and by whom', async () => {
    const { send } = await fleet()
    const { status, body } = await send('POST', '/v1/machines', { ...web, id: 'm-2' })
    expect([status, body.code]).toEqual([409, 'MACHINE_NAME_TAKEN'])
    expect(body.detail).toContain('m-1')
  })
})

describe('a secret', () => {
  it('of a join token is shown once and never stored', async () => {
    const { send, events } = await fleet()
    const make = () =>
      send('POST', '/v1/enrollments', { environmentId: 'staging', roles: ['web'] }, { 'idempotency-key': 'k' })
    const { status, body } = await make()
    expect([status, body.environmentId]).toEqual([201, 'staging'])
    expect(body.token).toMatch(new RegExp(`^rmd_join_${body.enrollmentId}_[A-Za-z0-9_-]{43}$`))
    expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(29 * 60_000)
    expect((await make()).body).toEqual({ ...body, token: null })
    expect(JSON.stringify(await events())).not.toContain(body.token.split('_').slice(3).join('_'))
    expect(await send('DELETE', `/v1/enrollments/${body.enrollmentId}`, { reason: 'leaked' })).toMatchObject({
      status: 200,
    })
  })
  it('of an API token is shown once and never stored', async () => {
    const { send, events } = await fleet()
    const make = () =>
      send('POST', '/v1/tokens', { name: 'CI', scope: 'write', expiresInMs: null }, { 'idempotency-key': 'k' })
    const { status, body } = await make()
    expect([status, body.expiresAt]).toEqual([201, null])
    expect(body.token).toMatch(/^rmd_user_[0-9a-f]{20}_[A-Za-z0-9_-]{43}$/)
    expect((await make()).body).toEqual({ ...body, token: null })
    expect(JSON.stringify(await events())).not.toContain(body.token.split('_').slice(3).join('_'))
    expect(await send('DELETE', `/v1/tokens/${body.tokenId}`)).toMatchObject({ status: 200 })
    expect(await send('DELETE', '/v1/tokens/nobody')).toMatchObject({ status: 404, body: { code: 'TOKEN_UNKNOWN' } })
  })
  it('opens no environment that is not there', async () => {
    const { send } = await fleet()
    expect(await send('POST', '/v1/enrollments', { environmentId: 'moon' })).toMatchObject({ status: 404 })
  })
})

describe('a request that is not well', () => {
  const bad: readonly [Method, string, object][] = [
    ['POST', '/v1/environments', {}],
    ['POST', '/v1/environments', { id: 'Not A Slug' }],
    ['POST', '/v1/environments', { ...staging, colour: 'red' }],
    ['POST', '/v1/environments', { ...staging, policy: { health: { heartbeatEveryMs: 'soon' } } }],
    ['PATCH', '/v1/environments/staging', { name: ' ' }],
    ['PATCH', '/v1/environments/Not%20A%20Slug', { name: 'x' }],
    ['PUT', '/v1/environments/staging/policy', { weather: 'fine' }],
    ['PUT', '/v1/environments/staging/policy', { guard: { share: 2 } }],
    ['POST', '/v1/machines', { name: 'web' }],
    ['POST', '/v1/machines', { ...web, name: 'with space' }],
    ['POST', '/v1/machines', { ...web, roles: ['a', 'a'] }],
    ['POST', '/v1/machines', { ...web, publicKey: 'k' }],
    ['PATCH', '/v1/machines/m-1', { roles: 'web' }],
    ['PATCH', '/v1/machines/M_1', { roles: [] }],
    ['PATCH', '/v1/machines/m-1', { probe: { kind: 'icmp', host: 'a' } }],
    ['POST', '/v1/machines', { ...web, probe: { kind: 'http', url: 'http://me:secret@web/' } }],
    ['POST', '/v1/machines/m-1/release', { reason: '' }],
    ['DELETE', '/v1/machines/m-1', { why: 'sold' }],
    ['DELETE', '/v1/machines/m-1?why=sold', {}],
    ['POST', '/v1/machines/m-1/restore', { reason: '' }],
    ['POST', '/v1/machines/m-1/enable', { reason: 'x' }],
    ['POST', '/v1/machines/m-1/disable', { reason: 'x'.repeat(501) }],
    ['POST', '/v1/enrollments', { environmentId: 'staging', usesMax: 0 }],
    ['DELETE', '/v1/enrollments/e1', { reason: 7 }],
    ['POST', '/v1/tokens', { name: 'CI', scope: 'root' }],
    ['DELETE', '/v1/tokens/..%2Fx', {}],
  ]
  it.each(bad)('is refused: %s %s %j', async (method, url, payload) => {
    const { send, events } = await fleet()
    const before = await events()
    expect(await send(method, url, payload)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
    expect(await events()).toHaveLength(before.length)
  })
  it('is refused without the scope', async () => {
    const { app } = await fleet()
    const status = async (caller: 'reader' | 'writer', method: Method, url: string) =>
      (await app.inject({ method, url, headers: as(caller), payload: {} })).statusCode
    for (const url of ['/v1/environments', '/v1/enrollments', '/v1/tokens'])
      expect(await status('writer', 'POST', url)).toBe(403)
    expect(await status('writer', 'PUT', '/v1/environments/staging/policy')).toBe(403)
    for (const url of ['/v1/machines', '/v1/machines/m-1/disable'])
      expect(await status('reader', 'POST', url)).toBe(403)
    expect(await status('reader', 'DELETE', '/v1/machines/m-1')).toBe(403)
  })
})
