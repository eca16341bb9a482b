import { describe, expect, it } from 'vitest'
import { EnrollmentRow, TokenRow } from '#contracts/credentialRows.ts'
import { DeploymentRow, ProjectRow, ReleaseRow, TaskRow } from '#contracts/rows.ts'
import { as } from '#test/support/http.ts'
import { api, type Row } from './api.ts'
import * as f from './facts.ts'

const { deploymentId } = f
const other = '11890a5d-ac96-774b-bcce-b302099a8057'
const deployment = `/v1/deployments/${deploymentId}`
const pinned = (version: string | null) => ({
  type: 'ReleaseOverrideSet',
  data: { projectId: 'shop', environmentId: 'staging', version, reason: 'r' },
})

/** A release that went to three machines of four; the fifth is a worker. */
async function delivered() {
  const it = await api()
  const { tell } = it
  await tell('environment-staging', f.environmentCreated())
  await tell('project-shop', f.projectCreated, {
    type: 'ProcessChanged',
    data: { projectId: 'shop', process: f.process, processVersion: 3 },
  })
  await tell('release-shop@1.0.0', f.released())
  for (const id of ['m-1', 'm-2', 'm-3', 'm-4']) await tell(`machine-${id}`, f.registered(id))
  await tell('machine-w', f.registered('w', { roles: ['worker', 'web'] }))
  await tell(`deployment-${deploymentId}`, f.created(), f.started(), f.evaluated(['m-1', 'm-2', 'm-3'], ['m-4']))
  await tell(
    `deployment-${deploymentId}`,
    f.stepStarted(),
    f.dispatched('m-1'),
    f.dispatched('m-2'),
    f.dispatched('m-3'),
  )
  await tell(`deployment-${deploymentId}`, f.taskStarted('m-1'), f.taskSucceeded('m-1'), f.taskStarted('m-2'))
  return it
}

describe('projects', () => {
  it('are listed and shown', async () => {
    const { get } = await delivered()
    const { body } = await get('/v1/projects')
    expect(body.items.map((row: unknown) => ProjectRow.strict().parse(row))).toMatchObject([
      { id: 'shop', latestVersion: '1.0.0' },
    ])
    expect((await get('/v1/projects/shop')).body).toEqual(body.items[0])
    for (const url of ['nothing', 'nothing/process', 'nothing/variables', 'nothing/releases'])
      expect(await get(`/v1/projects/${url}`)).toMatchObject({ status: 404, body: { code: 'PROJECT_UNKNOWN' } })
  })
  it('have a process whose version is its tag', async () => {
    const { get } = await delivered()
    const { body, headers } = await get('/v1/projects/shop/process')
    expect([headers['etag'], body]).toEqual(['"3"', f.process])
  })
  it('have variables whose version is their tag', async () => {
    const { get, tell } = await delivered()
    const variables = [{ name: 'A', value: '1', environments: [], roles: [] }]
    expect((await get('/v1/projects/shop/variables')).headers['etag']).toBe('"0"')
    await tell('project-shop', { type: 'VariablesChanged', data: { projectId: 'shop', variables } })
    const { body, headers } = await get('/v1/projects/shop/variables')
    expect([headers['etag'], body]).toEqual(['"1"', { variables }])
  })
  it('have releases, the latest first', async () => {
    const { all, tell } = await delivered()
    await tell('release-shop@2.0.0', f.released('2.0.0'))
    await tell('release-blog@9', { ...f.released('9'), data: { ...f.released('9').data, projectId: 'blog' } })
    const rows = await all('/v1/projects/shop/releases', 1)
    expect(rows.map((row) => ReleaseRow.strict().parse(row).version)).toEqual(['2.0.0', '1.0.0'])
  })
})

describe('a deployment', () => {
  it('is shown with its targets and with its tasks counted', async () => {
    const { get } = await delivered()
    const { body } = await get(deployment)
    expect(DeploymentRow.strict().parse(body)).toEqual(body)
    expect(body.steps[0]).toMatchObject({ state: 'running', tasks: { dispatched: 1, running: 1, succeeded: 1 } })
    expect(body.steps[1]).toMatchObject({ state: 'pending', tasks: {} })
    expect(body.targets.map(({ machineId, outcome }: Row) => [machineId, outcome])).toEqual([
      ['m-1', 'included'],
      ['m-2', 'included'],
      ['m-3', 'included'],
      ['m-4', 'excluded'],
    ])
    expect(await get(`/v1/deployments/${other}`)).toMatchObject({ status: 404, body: { code: 'DEPLOYMENT_UNKNOWN' } })
  })
  it('changes its tag when only a task has changed', async () => {
    const { get, tell } = await delivered()
    const { headers } = await get(deployment)
    await tell(`deployment-${deploymentId}`, f.taskStarted('m-3'))
    expect((await get(deployment, { 'if-none-match': String(headers['etag']) })).status).toBe(200)
  })
  it('is found by environment, project and state, the latest first', async () => {
    const { get, all, tell } = await delivered()
    await tell(`deployment-${other}`, f.created({ deploymentId: other, projectId: 'blog' }), f.cancelled([], other))
    const rows = await all('/v1/deployments', 1)
    expect(rows.map((row) => DeploymentRow.strict().parse(row).id)).toEqual([other, deploymentId])
    const found = async (filter: string) => (await get(`/v1/deployments?${filter}`)).body.items.map(({ id }: Row) => id)
    expect(await found('project=shop')).toEqual([deploymentId])
    expect(await found('state=cancelled')).toEqual([other])
    expect(await found('environment=staging&state=running')).toEqual([deploymentId])
    expect(await found('environment=moon')).toEqual([])
  })
  it('has tasks, each with the name of its machine', async () => {
    const { all, get } = await delivered()
    const rows = await all(`${deployment}/tasks`, 2)
    expect(rows.map((row) => TaskRow.strict().parse(row).machineName)).toEqual(['m-1-name', 'm-2-name', 'm-3-name'])
    expect((await get(`/v1/deployments/${other}/tasks`)).status).toBe(404)
  })
  it('has a plan that says how each machine stands at each step', async () => {
    const { get, tell } = await delivered()
    await tell(`deployment-${deploymentId}`, f.taskFailed('m-2'), f.dispatched('m-2', 2))
    const { body } = await get(`${deployment}/plan`)
    expect(body).toMatchObject({ deploymentId, state: 'running' })
    expect(body.steps[0].targets).toEqual([
      { machineId: 'm-1', name: 'm-1-name', state: 'succeeded', attempt: 1 },
      { machineId: 'm-2', name: 'm-2-name', state: 'dispatched', attempt: 2 },
      { machineId: 'm-3', name: 'm-3-name', state: 'dispatched', attempt: 1 },
    ])
    expect((await get(`/v1/deployments/${other}/plan`)).status).toBe(404)
  })
})

describe('convergence', () => {
  it('knows nothing to converge to before the first success', async () => {
    const { get } = await delivered()
    expect((await get('/v1/convergence')).body).toEqual({ items: [], next: null })
  })
  it('lists who has not what last went well, those waiting longest first', async () => {
    const { get, tell } = await delivered()
    await tell(`deployment-${deploymentId}`, f.succeeded(['m-1', 'm-2']))
    await tell('machine-late', f.registered('late'))
    await tell('machine-off', f.registered('off'), f.disabled('off'))
    await tell('machine-db', f.registered('db', { roles: ['db'] }))
    await tell('machine-probed', f.registered('probed', { publicKey: null }))
    const { body } = await get('/v1/convergence')
    expect(body.items.map(({ machineId }: Row) => machineId).toSorted()).toEqual(['late', 'm-3', 'm-4'])
    expect(body.items[0]).toMatchObject({
      projectId: 'shop',
      desired: '1.0.0',
      installed: null,
      environmentId: 'staging',
    })
    const since = body.items.map((row: Row) => row.since)
    expect(since).toEqual(since.toSorted())
    expect((await get('/v1/convergence?environment=moon')).body.items).toEqual([])
    expect((await get('/v1/convergence?limit=1')).body.items).toHaveLength(1)
  })
  it('follows what a person pinned', async () => {
    const { get, tell } = await delivered()
    await tell(`deployment-${deploymentId}`, f.succeeded(['m-1', 'm-2', 'm-3', 'm-4']))
    expect((await get('/v1/convergence')).body.items).toEqual([])
    await tell('release-shop@0.9.0', f.released('0.9.0'))
    await tell('project-shop', pinned('0.9.0'))
    const { body } = await get('/v1/convergence')
    expect(body.items).toHaveLength(4)
    expect(body.items[0]).toMatchObject({ desired: '0.9.0', installed: '1.0.0' })
    await tell('project-shop', pinned(null))
    expect((await get('/v1/convergence')).body.items).toEqual([])
  })
})

describe('why a machine is as it is', () => {
  const explained = async (id: string, ...facts: readonly [stream: string, fact: { type: string; data: object }][]) => {
    const { get, tell } = await delivered()
    await tell(`deployment-${deploymentId}`, f.succeeded(['m-1', 'm-2']))
    for (const [stream, fact] of facts) await tell(stream, fact)
    return (await get(`/v1/machines/${id}/explain`)).body
  }
  it('says what it has and what it should have', async () => {
    const why = await explained('m-1')
    expect(why).toMatchObject({ machineId: 'm-1', name: 'm-1-name', registered: true, removal: null })
    expect(why.state.join(' ')).toMatch(/registered since .* Nothing is known of its health/)
    expect(why.projects).toMatchObject([
      {
        projectId: 'shop',
        because: 'converged',
        installed: { version: '1.0.0' },
        desired: { version: '1.0.0', because: 'last-success' },
      },
    ])
  })
  it('names the last verdict and its clause', async () => {
    const why = await explained('m-3', ['policy-staging', f.skipped('m-3')], ['policy-staging', f.withheld('m-3')])
    expect(why.projects[0]).toMatchObject({
      because: 'not-converged',
      installed: null,
      verdict: { clause: 'tries-used-up' },
    })
    expect(why.removal).toMatchObject({ verdict: 'RemovalWithheld' })
    expect(why.state.join(' ')).toContain('withheld until fewer are silent')
  })
  it.each([
    ['disabled', ['machine-m-3', f.disabled('m-3')]],
    ['not-registered', ['machine-m-3', f.removed('m-3')]],
    ['no-agent', ['machine-m-3', f.registered('m-3', { publicKey: null })]],
    ['role-missing', ['machine-m-3', f.changed('m-3', { roles: ['db'] })]],
    ['nothing-desired', ['machine-m-3', f.changed('m-3', { environmentId: 'moon' })]],
  ] as const)('names the clause that keeps a release from it: %s', async (because, fact) =>
    expect((await explained('m-3', [...fact])).projects[0].because).toBe(because),
  )
  it('leaves workers to their work', async () => expect((await explained('w')).projects[0].because).toBe('worker'))
  it('may be asked of one project, and only of machines that there are', async () => {
    const { get } = await delivered()
    expect((await get('/v1/machines/m-1/explain?project=blog')).body.projects).toEqual([])
    expect((await get('/v1/machines/nobody/explain')).status).toBe(404)
  })
})

describe('credentials', () => {
  it('are listed without what they could be told from, and only to administrators', async () => {
    const { app, get, tell } = await api()
    await tell('enrollment-e1', f.enrollmentCreated)
    await tell('token-t1', f.tokenCreated)
    const [enrollments, tokens] = [await get('/v1/enrollments'), await get('/v1/tokens')]
    expect(enrollments.body.items.map((row: unknown) => EnrollmentRow.strict().parse(row).id)).toEqual(['e1'])
    expect(tokens.body.items.map((row: unknown) => TokenRow.strict().parse(row).id)).toEqual(['t1'])
    expect(enrollments.text + tokens.text).not.toContain('hash')
    for (const url of ['/v1/enrollments', '/v1/tokens'])
      expect((await app.inject({ url, headers: as('writer') })).statusCode).toBe(403)
  })
})

it.each([
  '/v1/projects/A%20B',
  '/v1/projects/shop/releases?limit=x',
  '/v1/deployments?colour=red',
  '/v1/deployments?cursor=x',
  '/v1/deployments/not-a-uuid',
  `${deployment}/tasks?cursor=x`,
  `${deployment}/plan?limit=1`,
  `${deployment}/log?from=1`,
])('a request that is not well is told so: %s', async (url) => {
  const { get } = await delivered()
  expect(await get(url)).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } })
})
