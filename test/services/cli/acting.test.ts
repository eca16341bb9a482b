import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { StepRow } from '#contracts/rows.ts'
import { deploymentRow, machineRow } from './rows.ts'
import { problem, runCli, serve, tempFolder } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

/** A server that takes whatever it is sent and remembers it. */
async function recording(routes: (app: FastifyInstance) => void) {
  const sent: { method: string; url: string; body: unknown; ifMatch?: unknown }[] = []
  const server = await serve((app) => {
    app.addHook('preHandler', async ({ method, url, body, headers }) => {
      if (method !== 'GET')
        sent.push({ method, url, body, ...(headers['if-match'] && { ifMatch: headers['if-match'] }) })
    })
    routes(app)
  })
  return { server, sent }
}

const file = (name: string, text: string) => {
  const path = join(tempFolder(), name)
  writeFileSync(path, text)
  return path
}

describe('a policy', () => {
  const environment = (app: FastifyInstance) => {
    app.get('/v1/environments/production/policy', (_, reply) =>
      reply.header('etag', '"3"').send(EnvironmentPolicy.parse({})),
    )
    app.put('/v1/environments/production/policy', () => ({ policyVersion: 4, position: 9 }))
  }
  it('is changed setting by setting, from the version that was read', async () => {
    const { server, sent } = await recording(environment)
    const settings = ['dynamicRegistration.removeAfterMs=5m', 'guard.enabled=false', 'guard.share=0.3']
    const { code, stdout } = await runCli(['env', 'policy', 'set', 'production', ...settings], { server })
    expect([code, stdout]).toEqual([0, 'The policy of production is changed.\n'])
    const { dynamicRegistration, guard, ...rest } = EnvironmentPolicy.parse({})
    expect(sent).toEqual([
      {
        method: 'PUT',
        url: '/v1/environments/production/policy',
        ifMatch: '"3"',
        body: {
          ...rest,
          dynamicRegistration: { ...dynamicRegistration, removeAfterMs: '5m' },
          guard: { ...guard, enabled: false, share: 0.3 },
        },
      },
    ])
  })
  it.each([
    ['guard.shar=0.3', /guard\.shar: there is no such setting/],
    ['guard.share=3', /guard\.share: /],
    ['gaurd.share=0.3', /no setting gaurd\.share/],
    ['__proto__.polluted=1', /is not <group>\.<setting>=<value>|no setting/],
    ['constructor.prototype=1', /no setting/],
    ['nonsense', /is not <group>/],
  ])('is not changed by %s', async (setting, said) => {
    const { server, sent } = await recording(environment)
    const { code, stderr } = await runCli(['env', 'policy', 'set', 'production', setting], { server })
    expect(code).toBe(2)
    expect(stderr).toMatch(said)
    expect(sent).toEqual([])
  })
  it('is put in place as a whole, from standard input', async () => {
    const { server, sent } = await recording(environment)
    const args = ['env', 'policy', 'set', 'production', '--file', '-', '--force']
    const { code } = await runCli(args, { server, stdin: 'guard:\n  share: 0.4\n' })
    expect(code).toBe(0)
    expect(sent).toEqual([
      { method: 'PUT', url: '/v1/environments/production/policy', body: { guard: { share: 0.4 } } },
    ])
  })
})

describe('the steps of a project', () => {
  const shop = (app: FastifyInstance) => {
    app.get('/v1/projects/shop/process', (_, reply) => reply.header('etag', '"7"').send({ steps: [] }))
    app.put('/v1/projects/shop/process', (_, reply) =>
      reply.code(422).send(problem(422, 'PROCESS_INVALID', 'step second: another step has the same id')),
    )
  }
  it('are not sent while the file has mistakes, which are shown at their places', async () => {
    const { server, sent } = await recording(shop)
    const process = file('process.yaml', 'steps:\n  - id: first\n    kind: scirpt\n')
    const { code, stderr } = await runCli(['project', 'process', 'set', 'shop', '--file', process], { server })
    expect(code).toBe(2)
    expect(stderr).toContain(`error DOCUMENT_INVALID: ${process}:3:11: steps.0.kind: `)
    expect(sent).toEqual([])
  })
  it('that the server refuses are shown at their place as well', async () => {
    const { server, sent } = await recording(shop)
    const process = file('process.json', '{ "steps": [\n { "id": "second", "kind": "script", "script": "true" } ] }')
    const { code, stderr } = await runCli(['project', 'process', 'set', 'shop', '--file', process], { server })
    expect(code).toBe(2)
    expect(stderr).toBe(`error PROCESS_INVALID: ${process}:2:2: step second: another step has the same id\n`)
    expect(sent).toMatchObject([{ ifMatch: '"7"' }])
  })
  it('cannot be read from a file that is not there', async () => {
    const { server } = await recording(shop)
    const { code, stderr } = await runCli(['project', 'process', 'set', 'shop', '--file', 'nowhere.yaml'], { server })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error USAGE: nowhere\.yaml cannot be read: ENOENT/)])
  })
})

describe('variables', () => {
  it('are set for where they hold, and others stay', async () => {
    const kept = { name: 'GREETING', value: 'hi', environments: [], roles: [] }
    const { server, sent } = await recording((app) => {
      app.get('/v1/projects/shop/variables', (_, reply) => reply.header('etag', '"4"').send({ variables: [kept] }))
      app.put('/v1/projects/shop/variables', () => ({ position: 1 }))
    })
    const args = ['project', 'variables', 'set', 'shop', 'GREETING=a=b', '--environment', 'production']
    expect((await runCli(args, { server })).code).toBe(0)
    const added = { name: 'GREETING', value: 'a=b', environments: ['production'], roles: [] }
    expect(sent).toMatchObject([{ body: { variables: [kept, added] }, ifMatch: '"4"' }])
  })

  const password = { name: 'S', value: null, sensitive: true, environments: [], roles: [] }
  const secret = { secretId: '0'.repeat(32), version: 1 }
  const withSecret = () =>
    recording((app) => {
      const variables = [{ ...password, secret, destroyed: true }]
      app.get('/v1/projects/shop/variables', (_, reply) => reply.header('etag', '"4"').send({ variables }))
      app.put('/v1/projects/shop/variables', () => ({ position: 1 }))
      app.post('/v1/projects/shop/variables/S/destroy', () => ({ position: 1 }))
    })
  const sets = ['project', 'variables', 'set', 'shop']
  it('that are sensitive come from a file, without the line break at its end', async () => {
    const { server, sent } = await withSecret()
    const path = file('password', 'pass word\n')
    const scope = ['--machine', 'web-1', '--step', 'install', '--as-file']
    expect((await runCli([...sets, 'S', '--sensitive', '--from-file', path, ...scope], { server })).code).toBe(0)
    const added = { machines: ['web-1'], steps: ['install'], as: 'file', value: 'pass word', sensitive: true }
    const kept = { name: 'S', sensitive: true, environments: [], roles: [] }
    expect(sent).toEqual([expect.objectContaining({ body: { variables: [kept, { ...kept, ...added }] } })])
  })
  it.each([
    [['S=hunter2', '--sensitive'], 'never stands on the command line'],
    [['S', 'T', '--sensitive', '--from-stdin'], 'one NAME alone'],
    [['S', '--sensitive'], '--from-stdin or --from-file'],
    [['S', '--sensitive', '--from-stdin', '--from-file', 'x'], '--from-stdin or --from-file'],
  ])('that are sensitive are not taken from the command line: %j', async (args, why) => {
    const { server, sent } = await withSecret()
    const { code, stderr } = await runCli([...sets, ...args], { server })
    expect([code, sent]).toEqual([2, []])
    expect(stderr).toContain(why)
    expect(stderr).not.toContain('hunter2')
  })
  it('that are sensitive are shown as that, and can be given back as they are', async () => {
    const { server, sent } = await withSecret()
    const { stdout } = await runCli(['project', 'variables', 'get', 'shop'], { server })
    expect(stdout).toMatch(/^S +destroyed +all +all/m)
    const yaml = await runCli(['project', 'variables', 'get', 'shop', '--yaml'], { server })
    const path = file('all.yaml', yaml.stdout)
    expect((await runCli([...sets, '--file', path], { server })).code).toBe(0)
    expect(sent.at(-1)).toMatchObject({ body: { variables: [{ name: 'S', sensitive: true }] } })
  })
  it('that are sensitive are destroyed by their name', async () => {
    const { server } = await withSecret()
    const { code, stdout } = await runCli(['project', 'variables', 'destroy', 'shop', 'S'], { server })
    expect([code, stdout]).toEqual([0, expect.stringContaining('No value of S can be read any more')])
  })
})

describe('packages', () => {
  const digest = createHash('sha256').update('the bytes').digest('hex')
  const store = (app: FastifyInstance) => {
    app.addContentTypeParser('application/octet-stream', { parseAs: 'string' }, (_, body, done) => done(null, body))
    app.post('/v1/packages/shop/versions/1.5.0', () => ({ digest, sizeBytes: 9, position: 3 }))
    app.post('/v1/packages/shop/prune', () => ({ name: 'shop', versions: ['1.0', '1.1'], position: 4 }))
    app.delete('/v1/packages/shop/versions/1.5.0', () => ({ name: 'shop', versions: ['1.5.0'], position: 5 }))
  }
  it('are uploaded as they are, with their digest', async () => {
    const { server, sent } = await recording(store)
    const path = file('shop.tgz', 'the bytes')
    const { code, stdout } = await runCli(['package', 'upload', 'shop', '1.5.0', path], { server })
    expect([code, stdout]).toEqual([0, `Package shop 1.5.0 is uploaded: 0.0 MiB, sha256 ${digest}.\n`])
    const url = `/v1/packages/shop/versions/1.5.0?digest=${digest}`
    expect(sent).toEqual([{ method: 'POST', url, body: 'the bytes' }])
  })
  it('that cannot be read are told', async () => {
    const { server, sent } = await recording(store)
    const { code, stderr } = await runCli(['package', 'upload', 'shop', '1.5.0', '/nowhere/shop.tgz'], { server })
    expect([code, sent]).toEqual([2, []])
    expect(stderr).toContain('error USAGE: /nowhere/shop.tgz cannot be read: ENOENT')
  })
  it('are given up', async () => {
    const { server, sent } = await recording(store)
    const pruned = await runCli(['package', 'prune', 'shop', '--keep', '3'], { server })
    expect([pruned.code, pruned.stdout]).toEqual([0, 'Given up of package shop: 1.0, 1.1.\n'])
    const removed = await runCli(['package', 'remove', 'shop', '1.5.0', '--reason', 'wrong branch'], { server })
    expect([removed.code, removed.stdout]).toEqual([0, 'Package shop 1.5.0 is given up.\n'])
    expect(sent).toMatchObject([
      { method: 'POST', url: '/v1/packages/shop/prune', body: { keepNewest: 3 } },
      { method: 'DELETE', url: '/v1/packages/shop/versions/1.5.0?reason=wrong%20branch' },
    ])
  })
})

describe('tokens', () => {
  const made = (token: string | null) =>
    recording((app) => {
      app.post('/v1/enrollments', (_, reply) => reply.code(201).send({ enrollmentId: 'e1', token, position: 1 }))
      app.post('/v1/tokens', (_, reply) => reply.code(201).send({ tokenId: 't1', token, position: 1 }))
    })
  it('for machines come with the command that starts the agent', async () => {
    const { server, sent } = await made('rmd_join_e1_secret')
    const args = ['token', 'join', '--environment', 'production', '--role', 'web,db', '--uses', '3', '--expires', '2h']
    const { stdout } = await runCli(args, { server })
    expect(stdout).toContain(`REMUDA_TOKEN=rmd_join_e1_secret remuda agent --server ${server}`)
    expect(sent).toMatchObject([
      { body: { environmentId: 'production', roles: ['web', 'db'], usesMax: 3, expiresInMs: 7_200_000 } },
    ])
  })
  it('whose secret is gone are not pretended to be shown', async () => {
    const { server } = await made(null)
    const { code, stdout, stderr } = await runCli(['token', 'create', 'ci', '--scope', 'write'], { server })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('error SECRET_GONE')
  })
})

describe('a deployment', () => {
  const id = '01980000-0000-7000-8000-000000000001'
  const step = (state: StepRow['state']): StepRow => ({
    id: 'install',
    name: 'Install',
    kind: 'script',
    state,
    reason: null,
    startedAt: null,
    endedAt: null,
    deadlineAt: null,
    tasks: {},
  })
  const deploying = (end: 'succeeded' | 'failed' | 'running') => {
    let asked = 0
    return recording((app) => {
      app.get('/v1/machines/web-07', () => machineRow('web-07'))
      app.post('/v1/deployments', (_, reply) => reply.code(202).header('remuda-position', 5).send({ id, position: 5 }))
      app.get(`/v1/deployments/${id}`, (_, reply) => {
        if (++asked === 1) return deploymentRow('running', { steps: [step('running')] })
        // It restarts in the middle of everything.
        if (asked === 2) return reply.raw.destroy()
        const ended = end === 'running' ? 'running' : end
        return deploymentRow(end, { steps: [step(ended)], reason: end === 'failed' ? 'Install failed' : null })
      })
    })
  }
  const args = ['deploy', 'create', 'shop', '1.5.0', 'production', '--machine', 'web-07']

  it('is told what becomes of a target that failed, and is shown to ask for it', async () => {
    const options = ['retry', 'fail'] as const
    const asked = {
      stepId: 'install',
      machineId: 'web-07',
      reason: 'exit code 1',
      options,
      deadlineAt: '2026-11-23T09:00:00.000Z',
    }
    const { server, sent } = await recording((app) => {
      app.get(`/v1/deployments/${id}`, () => deploymentRow('waiting', { decisions: [asked] }))
      app.post(`/v1/deployments/${id}/decide`, () => ({ id, position: 5 }))
    })
    expect((await runCli(['deploy', 'get', id], { server })).stdout).toContain(
      'step install on web-07: exit code 1; retry, fail?',
    )
    const told = [
      'deploy',
      'decide',
      id,
      'retry',
      '--step',
      'install',
      '--machine',
      'web-07',
      '--comment',
      'disk swapped',
    ]
    expect((await runCli(told, { server })).code).toBe(0)
    expect(sent.at(-1)).toMatchObject({
      body: { decision: 'retry', stepId: 'install', machineId: 'web-07', comment: 'disk swapped' },
    })
    expect((await runCli(['deploy', 'decide', id, 'shrug'], { server })).code).toBe(2)
  })
  it('says what it has put in service, and what it left behind', async () => {
    const swap = { serving: ['web-8', 'web-9'], leftBehind: ['web-7'] }
    const { server } = await recording((app) => {
      app.get(`/v1/deployments/${id}`, () => deploymentRow('failed', { swap }))
    })
    const { stdout } = await runCli(['deploy', 'get', id], { server })
    expect(stdout).toMatch(/has put in service +web-8, web-9\nleft behind +web-7\n/)
  })
  it('is made and not waited for', async () => {
    const { server, sent } = await deploying('succeeded')
    const { code, stdout } = await runCli(args, { server })
    expect([code, stdout]).toEqual([0, `Deployment ${id} is made.\nremuda deploy watch ${id}\n`])
    expect(sent).toMatchObject([
      { body: { projectId: 'shop', version: '1.5.0', environmentId: 'production', machines: ['web-07'] } },
    ])
  })
  it('is waited for to its success, with progress apart from the answer', async () => {
    const { server } = await deploying('succeeded')
    const { code, stdout, stderr } = await runCli([...args, '--wait', '-o', 'json'], { server })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'succeeded' })
    expect(stderr.split('\n').filter((line) => line.startsWith('step'))).toEqual([
      'step Install (install): running',
      'step Install (install): succeeded',
    ])
  })
  it('that fails ends with 4', async () => {
    const { server } = await deploying('failed')
    const { code, stdout, stderr } = await runCli([...args, '--wait'], { server })
    expect(code).toBe(4)
    expect(stdout).toMatch(/state +failed\nreason +Install failed/)
    expect(stderr).toContain(`deployment ${id}: failed: Install failed`)
  })
  it('that goes on for longer than one waits ends with 124, and says how to go on', async () => {
    const { server } = await deploying('running')
    const { code, stdout, stderr } = await runCli([...args, '--wait', '--timeout', '200ms'], { server })
    expect([code, stdout]).toEqual([124, ''])
    expect(stderr).toMatch(new RegExp(`error TIMEOUT: .*\nnext: remuda deploy watch ${id}\n$`))
  })
})
