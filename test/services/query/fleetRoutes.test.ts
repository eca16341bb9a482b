import { describe, expect, it } from 'vitest'
import { MachineDetail, RemovedMachineRow } from '#contracts/fleetRows.ts'
import { EventRow } from '#contracts/eventRow.ts'
import { EnvironmentRow, MachineRow, Overview } from '#contracts/rows.ts'
import { systemClock } from '#libs/systemClock.ts'
import { api, type Row } from './api.ts'
import * as f from './facts.ts'

const dayMs = 86_400_000
const ids = (rows: readonly Row[]) => rows.map(({ id }) => id)

/** Two environments, five machines of which one is removed, and one that only its health is known of. */
async function fleet() {
  const it = await api()
  const { tell } = it
  await tell('environment-staging', f.environmentCreated())
  await tell('environment-moon', f.environmentCreated('moon'))
  await tell('machine-a', f.registered('a', { name: 'Web-1' }))
  await tell('machine-b', f.registered('b', { roles: ['db', 'web-edge'] }), f.disabled('b'))
  await tell('machine-c', f.registered('c', { environmentId: 'moon' }))
  await tell('machine-d', f.registered('d'), f.removed('d'))
  await tell('machine-e', f.registered('e'))
  await tell('health-a', f.healthy('a'))
  await tell('health-e', f.unavailable('e'))
  await tell('health-x', f.healthy('x'))
  await tell('policy-staging', f.withheld('e'))
  return it
}

describe('environments', () => {
  it('are listed with how many of their machines are how', async () => {
    const { get } = await fleet()
    const { body, headers } = await get('/v1/environments')
    expect(headers['content-type']).toContain('application/json')
    expect(ids(body.items)).toEqual(['moon', 'staging'])
    for (const row of body.items) expect(EnvironmentRow.strict().parse(row)).toEqual(row)
    expect(body.items[1].machines).toEqual({
      unknown: 1,
      healthy: 1,
      degraded: 0,
      unhealthy: 0,
      unavailable: 1,
      disabled: 1,
    })
    expect((await get('/v1/environments/moon')).body.machines.unknown).toBe(1)
  })
  it('are shown with a policy whose version is its tag', async () => {
    const { get, tell } = await fleet()
    const first = await get('/v1/environments/staging/policy')
    expect([first.status, first.headers['etag'], first.body]).toEqual([200, '"1"', f.policy])
    await tell('environment-staging', {
      type: 'EnvironmentPolicyChanged',
      data: { environmentId: 'staging', policy: f.policy, policyVersion: 2 },
    })
    expect((await get('/v1/environments/staging/policy')).headers['etag']).toBe('"2"')
  })
  it('are not shown when there are none', async () => {
    const { get } = await fleet()
    for (const url of ['sun', 'sun/policy', 'sun/removed'])
      expect(await get(`/v1/environments/${url}`)).toMatchObject({ status: 404, body: { code: 'ENVIRONMENT_UNKNOWN' } })
  })
  it('list what was removed from them, the latest first, as long as the policy keeps it', async () => {
    let wallMs = 0
    const { get, all, tell } = await api({ clock: { ...systemClock, wallMs: () => wallMs } })
    await tell('environment-staging', f.environmentCreated())
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
      wallMs = index * 10 * dayMs
      await tell(`machine-${id}`, f.registered(id), f.removed(id))
    }
    const rows = await all('/v1/environments/staging/removed', 1)
    expect(ids(rows)).toEqual(['d', 'c', 'b', 'a'])
    for (const row of rows) expect(RemovedMachineRow.strict().parse(row)).toEqual(row)
    wallMs += 15 * dayMs
    expect(ids((await get('/v1/environments/staging/removed')).body.items)).toEqual(['d', 'c'])
  })
})

describe('a machine that was removed', () => {
  it.each([
    ['policy', f.registered('a'), true],
    ['not-contactable', f.registered('a'), true],
    ['person', f.registered('a'), false],
    ['machine', f.registered('a'), false],
    ['deployment', f.registered('a'), false],
    ['policy', f.registered('a', { publicKey: null }), false],
  ] as const)('says whether it may return by itself: by %s', async (kind, registration, returnsByItself) => {
    const { get, tell } = await api()
    await tell('environment-staging', f.environmentCreated())
    await tell('machine-a', registration, f.removed('a', { ...f.cause, kind }))
    const { body } = await get('/v1/environments/staging/removed')
    expect(body.items).toMatchObject([{ id: 'a', returnsByItself, decisionId: 'd1', nameHolder: null, releases: [] }])
  })
  it('says who has its name now, as long as somebody has', async () => {
    const { get, tell } = await api()
    const holder = async () => (await get('/v1/environments/staging/removed')).body.items[0].nameHolder
    await tell('environment-staging', f.environmentCreated())
    await tell('machine-a', f.registered('a', { name: 'web' }), f.removed('a', f.cause, 'web'))
    await tell('machine-b', f.registered('b', { name: 'web', environmentId: 'moon' }))
    expect(await holder()).toBeNull()
    await tell('machine-c', f.registered('c', { name: 'web' }))
    expect(await holder()).toMatchObject({ machineId: 'c' })
    await tell('machine-c', f.changed('c', { name: 'other' }))
    expect(await holder()).toBeNull()
  })
})

describe('machines', () => {
  it('are listed as they are stored, page by page', async () => {
    const { all, get } = await fleet()
    const rows = await all('/v1/machines', 1)
    expect(ids(rows)).toEqual(['a', 'b', 'c', 'e'])
    for (const row of rows) expect(MachineRow.strict().parse(row)).toEqual(row)
    expect((await get('/v1/machines?limit=4')).body.next).toBeNull()
    expect(ids(await all('/v1/machines', 3))).toEqual(['a', 'b', 'c', 'e'])
  })
  it.each([
    ['environment=moon', ['c']],
    ['environment=moon&role=db', []],
    ['role=web', ['a', 'c', 'e']],
    ['role=web-edge', ['b']],
    ['role=edge', []],
    ['status=healthy', ['a']],
    ['status=disabled', ['b']],
    ['environment=staging&status=unavailable', ['e']],
    ['q=web-1', ['a']],
    ['q=B-NAME', ['b']],
    ['q=%25', []],
    ["q=' OR 1 --", []],
  ])('are found by %s', async (filter, found) => {
    const { get } = await fleet()
    expect(ids((await get(`/v1/machines?${filter}`)).body.items)).toEqual(found)
  })
  it('are shown, also removed ones, but not those that never were registered', async () => {
    const { get } = await fleet()
    const { body } = await get('/v1/machines/a')
    expect(MachineDetail.strict().parse(body)).toEqual(body)
    expect(body).toMatchObject({ id: 'a', status: 'healthy', silence: null })
    expect((await get('/v1/machines/d')).body).toMatchObject({ id: 'd', registered: false })
    for (const id of ['x', 'nobody'])
      expect(await get(`/v1/machines/${id}`)).toMatchObject({ status: 404, body: { code: 'MACHINE_UNKNOWN' } })
  })
  it('are not sent again to who has them already', async () => {
    const { get, tell } = await fleet()
    const { headers } = await get('/v1/machines/a')
    const ifNoneMatch = { 'if-none-match': String(headers['etag']) }
    expect(await get('/v1/machines/a', ifNoneMatch)).toMatchObject({ status: 304, text: '' })
    expect(await get('/v1/machines/a', { 'if-none-match': `"x", W/${headers['etag']}` })).toMatchObject({ status: 304 })
    await tell('health-a', f.unavailable('a'))
    expect(await get('/v1/machines/a', ifNoneMatch)).toMatchObject({ status: 200, body: { status: 'unavailable' } })
  })
  it('have a history, the latest first', async () => {
    const { all, get, tell } = await fleet()
    await tell('machine-d', f.restored('d'))
    const rows = await all('/v1/machines/d/history', 2)
    expect(rows.map(({ type }) => type)).toEqual(['MachineRestored', 'MachineDeregistered', 'MachineRegistered'])
    for (const row of rows) expect(EventRow.strict().parse(row)).toEqual(row)
    expect((await get('/v1/machines/nobody/history')).status).toBe(404)
  })
})

describe('the overview', () => {
  it('counts without counting', async () => {
    const { get, tell } = await fleet()
    await tell(`deployment-${f.deploymentId}`, f.created(), f.started())
    const { body } = await get('/v1/overview')
    expect(Overview.strict().parse(body)).toEqual(body)
    expect(body).toEqual({
      machines: { unknown: 2, healthy: 1, degraded: 0, unhealthy: 0, unavailable: 1, disabled: 1 },
      ...{ environments: 2, deployments: { running: 1 }, withheld: 1, position: 15, version: '1.2.3' },
      ...{ deferred: 0, quarantined: 0, openIncidents: 0, openGaps: 0 },
    })
  })
})

describe('a reader', () => {
  it('reads what it has just written', async () => {
    const { get, platform } = await fleet()
    const { version } = await platform.store.read('health-a')
    const cause = { actor: 'x', commandId: 'x', correlationId: 'x', causationId: null }
    const stored = await platform.store.append('health-a', version, [f.unavailable('a')], cause)
    const position = stored === 'conflict' ? 0 : stored[0]!.meta.position
    expect((await get(`/v1/machines/a?minPosition=${position}`)).body.status).toBe('unavailable')
  })
  it('is told when the read model does not get there', async () => {
    const clock = { ...systemClock, timer: (ms: number, run: () => void) => systemClock.timer(ms / 50, run) }
    const { get } = await api({ clock })
    for (const url of ['environments', 'machines', 'overview', 'convergence', 'tokens', 'projects', 'deployments'])
      expect(await get(`/v1/${url}?minPosition=99`)).toMatchObject({
        status: 504,
        body: { code: 'POSITION_NOT_REACHED' },
      })
  })
  it.each([
    '/v1/machines?limit=0',
    '/v1/machines?limit=201',
    '/v1/machines?colour=red',
    '/v1/machines?minPosition=-1',
    '/v1/machines?cursor=x',
    `/v1/machines?cursor=${Buffer.from('["removed","a"]').toString('base64url')}`,
    `/v1/machines?cursor=${Buffer.from('["machines","a","b"]').toString('base64url')}`,
    `/v1/machines?cursor=${Buffer.from('["machines",{}]').toString('base64url')}`,
    '/v1/machines/Not%20An%20Id',
    '/v1/environments?after=1',
    '/v1/environments/A_B',
    '/v1/environments/staging?limit=1',
    '/v1/machines/a/history?cursor=x',
    '/v1/machines/a/explain?project=A%20B',
    '/v1/convergence?cursor=x',
    '/v1/tokens?x=1',
  ])('is told what is wrong with %s', async (url) => {
    const { get } = await fleet()
    expect(await get(url)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
  })
})
