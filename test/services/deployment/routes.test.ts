import { describe, expect, it } from 'vitest'
import { deploymentRoutes } from '#services/deployment/routes.ts'
import { as } from '#test/support/http.ts'
import { askedOf } from './askedOf.ts'
import { processOf } from './run/play.ts'

const id = '00000000-0000-4000-8000-000000000001'
const process = processOf({ id: 'a' })
const deploy = { projectId: 'shop', version: '1.0', environmentId: 'production' }

describe('the routes of projects', () => {
  it.each([
    [['POST', '/v1/projects', { id: 'shop' }], 201, 'CreateProject', { projectId: 'shop', name: 'shop' }],
    [['PUT', '/v1/projects/shop', { name: 'Shop' }], 200, 'RenameProject', { projectId: 'shop', name: 'Shop' }],
    [
      ['PUT', '/v1/projects/shop/process', process],
      200,
      'ChangeProcess',
      { projectId: 'shop', process, expectedVersion: null },
    ],
    [
      ['PUT', '/v1/projects/shop/variables', { variables: [{ name: 'A', value: '1' }] }],
      200,
      'ChangeVariables',
      { projectId: 'shop', variables: [{ name: 'A', value: '1', environments: [], roles: [] }], expectedVersion: null },
    ],
    [
      ['PUT', '/v1/projects/shop/environments/production/override', { version: '1.0', reason: 'why' }],
      200,
      'SetReleaseOverride',
      { projectId: 'shop', environmentId: 'production', version: '1.0', reason: 'why' },
    ],
    [
      ['POST', '/v1/projects/shop/releases', { version: '1.0' }],
      201,
      'CreateRelease',
      { projectId: 'shop', version: '1.0', notes: '' },
    ],
  ] as const)('turn %o into a command', async (request, status, type, data) =>
    (await askedOf(deploymentRoutes)).asks(request, status, type, data),
  )
  it.each([
    ['"7"', 7],
    ['W/"7"', 7],
    ['*', null],
  ])('change a process or variables from the version that If-Match names: %s', async (header, expectedVersion) => {
    const { send, sent } = await askedOf(deploymentRoutes)
    await send('PUT', '/v1/projects/shop/process', process, { 'if-match': header })
    await send('PUT', '/v1/projects/shop/variables', { variables: [] }, { 'if-match': header })
    expect(sent.map(({ command }) => command.data)).toMatchObject([{ expectedVersion }, { expectedVersion }])
  })
  it('change nothing when If-Match names no version', async () => {
    const { send, sent } = await askedOf(deploymentRoutes)
    const headers = { 'if-match': '"seven"' }
    expect(await send('PUT', '/v1/projects/shop/process', process, headers)).toMatchObject({ status: 412 })
    expect(await send('PUT', '/v1/projects/shop', { name: 'Shop' }, headers)).toMatchObject({ status: 400 })
    expect(sent).toEqual([])
  })
})

describe('the routes of deployments', () => {
  it.each([
    [['POST', `/v1/deployments/${id}/cancel`, {}], 202, 'CancelDeployment', { reason: 'no reason given' }],
    [
      ['POST', `/v1/deployments/${id}/decide`, { decision: 'approve' }],
      200,
      'DecideDeployment',
      { decision: 'approve', comment: '' },
    ],
  ] as const)('turn %o into a command', async (request, status, type, data) =>
    (await askedOf(deploymentRoutes)).asks(request, status, type, { deploymentId: id, ...data }),
  )
  it('make a deployment once, however often its request is sent with one key', async () => {
    const { send, sent } = await askedOf(deploymentRoutes)
    const ids = async (url: string, payload: object, key: string) => {
      await send('POST', url, payload, { 'idempotency-key': key })
      const { deploymentId, newDeploymentId } = sent.at(-1)!.command.data as Record<string, string>
      return newDeploymentId ?? deploymentId
    }
    const first = await ids('/v1/deployments', deploy, 'k')
    expect(sent[0]!.command).toMatchObject({ data: { ...deploy, kind: 'release', machineIds: null } })
    expect(await ids('/v1/deployments', deploy, 'k')).toBe(first)
    expect(await ids('/v1/deployments', { ...deploy, machines: ['m-1'] }, 'other')).not.toBe(first)
    expect(sent.at(-1)!.command).toMatchObject({ data: { machineIds: ['m-1'] } })
    const again = await ids(`/v1/deployments/${id}/retry`, {}, 'k')
    expect(sent.at(-1)!.command).toMatchObject({ type: 'RetryDeployment', data: { deploymentId: id } })
    expect(await ids(`/v1/deployments/${id}/retry`, {}, 'k')).toBe(again)
    expect(await ids(`/v1/deployments/${id}/redeploy`, {}, 'k')).not.toBe(again)
    expect(sent.at(-1)!.command).toMatchObject({ type: 'RedeployDeployment', data: { deploymentId: id } })
  })
  it('take what may be said of a deployment', async () => {
    const options = { priority: 9, startAt: '2026-12-01T22:00:00+01:00', allowNoTargets: true }
    const { send, sent } = await askedOf(deploymentRoutes)
    await send('POST', '/v1/deployments', { ...deploy, ...options })
    expect(sent[0]!.command.data).toMatchObject(options)
  })
  it('let administrators pass by a freeze, and nobody else', async () => {
    const { send, sent } = await askedOf(deploymentRoutes)
    const wanted = { ...deploy, ignoreFreeze: { reason: 'the shop is down' } }
    expect(await send('POST', '/v1/deployments', wanted)).toMatchObject({
      status: 403,
      body: { code: 'PERMISSION_DENIED' },
    })
    expect(sent).toEqual([])
    expect(await send('POST', '/v1/deployments', wanted, as('admin'))).toMatchObject({ status: 202 })
    expect(sent[0]!.command.data).toMatchObject({ ignoreFreeze: { reason: 'the shop is down' } })
  })
  it('tell of a refusal as of a problem', async () => {
    const { send, refuse } = await askedOf(deploymentRoutes)
    refuse('DEPLOYMENTS_TOO_MANY')
    expect(await send('POST', '/v1/deployments', deploy)).toMatchObject({
      status: 429,
      body: { code: 'DEPLOYMENTS_TOO_MANY', detail: 'because' },
    })
  })
  it.each([
    ['POST', '/v1/deployments', { ...deploy, machines: [] }],
    ['POST', '/v1/deployments', { ...deploy, kind: 'automatic' }],
    ['POST', '/v1/deployments', { ...deploy, priority: 10 }],
    ['POST', '/v1/deployments', { ...deploy, startAt: 'tomorrow' }],
    ['POST', '/v1/deployments', { ...deploy, startAt: '2026-12-01T22:00:00' }],
    ['POST', '/v1/deployments', { ...deploy, ignoreFreeze: true }],
    ['POST', '/v1/deployments', { ...deploy, ignoreFreeze: { reason: ' ' } }],
    ['POST', '/v1/deployments/7/cancel', {}],
    ['POST', `/v1/deployments/${id}/decide`, { decision: 'perhaps' }],
    ['PUT', '/v1/projects/shop/process', { steps: [{ kind: 'script', id: 'a', script: 'x', colour: 'red' }] }],
    ['PUT', '/v1/projects/Shop/variables', { variables: [] }],
  ] as const)('refuse what has not their shape: %s %s %o', async (method, url, payload) => {
    const { send, sent } = await askedOf(deploymentRoutes)
    expect(await send(method, url, payload)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
    expect(sent).toEqual([])
  })
})
