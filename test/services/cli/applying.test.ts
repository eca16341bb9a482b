import type { FastifyInstance } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import { StoredProcess } from '#contracts/process.ts'
import type { ProjectRow } from '#contracts/rows.ts'
import { problem, runCli, serve } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const file = `project: shop
name: The shop
process:
  steps:
    - { id: install, kind: script, roles: [web], script: ./install.sh }
    - { id: check, kind: health-check, roles: [web] }
variables:
  - { name: REGION, value: north }
`

/** A server with at most one project, which takes what it is sent. */
async function shop(kept: ProjectRow | null, refuse?: (app: FastifyInstance) => void) {
  const sent: (readonly [string, string, unknown])[] = []
  const server = await serve((app) => {
    app.addHook('preHandler', async ({ method, url, body }) => {
      if (method !== 'GET') sent.push([method, url, body])
    })
    app.get(
      '/v1/projects/shop',
      (_, reply) => kept ?? reply.status(404).send(problem(404, 'PROJECT_UNKNOWN', 'there is no project shop')),
    )
    app.post('/v1/projects', (_, reply) => reply.status(201).send({ position: 1 }))
    refuse?.(app)
    if (refuse === undefined) app.put('/v1/projects/shop/process', () => ({ position: 2 }))
    app.put('/v1/projects/shop/variables', () => ({ position: 3 }))
  })
  return { server, sent }
}

const apply = (server: string, text = file, ...more: string[]) =>
  runCli(['project', 'apply', '-f', '-', ...more], { server, stdin: text })

const { steps } = StoredProcess.parse({
  steps: [
    { id: 'install', kind: 'script', roles: ['web'], script: './install.sh' },
    { id: 'check', kind: 'health-check', roles: ['web'] },
  ],
})
const variables = [{ name: 'REGION', value: 'north', environments: [], roles: [] }]
const row: ProjectRow = {
  ...{ id: 'shop', name: 'The shop', process: { steps }, processVersion: 1, variables, variablesVersion: 1 },
  ...{ overrides: {}, latestVersion: null, createdAt: '2026-11-24T00:00:00.000Z' },
}

describe('a project that is kept in a file', () => {
  it('is made with all that the file says', async () => {
    const { server, sent } = await shop(null)
    const { code, stdout } = await apply(server)
    expect([code, stdout]).toEqual([0, 'Project shop has got made, other steps, other variables.\n'])
    expect(sent.map(([method, url]) => `${method} ${url}`)).toEqual([
      'POST /v1/projects',
      'PUT /v1/projects/shop/process',
      'PUT /v1/projects/shop/variables',
    ])
    expect(sent[0]![2]).toEqual({ id: 'shop', name: 'The shop' })
  })

  it('is not touched when it is as the file says, and only where it differs', async () => {
    const same = await shop(row)
    expect((await apply(same.server)).stdout).toBe('Project shop is as the file says already.\n')
    expect(same.sent).toEqual([])
    const other = await shop({ ...row, variables: [] })
    await apply(other.server)
    expect(other.sent).toEqual([['PUT', '/v1/projects/shop/variables', { variables }]])
  })

  it('is only compared in a dry run', async () => {
    const { server, sent } = await shop(null)
    expect((await apply(server, file, '--dry-run')).stdout).toMatch(/would get made, other steps, other variables/)
    expect(sent).toEqual([])
  })

  it('is told at its line and column what is wrong with it, before anything is sent', async () => {
    const { server, sent } = await shop(null)
    const { code, stderr } = await apply(server, file.replace('roles: [web], script', 'role: [web], script'))
    expect(code).toBe(2)
    expect(stderr).toMatch(/standard input:5:36: process\.steps\.0\.role: there is no such setting/)
    expect(sent).toEqual([])
  })

  it('is told at its line and column what only the server knows to be wrong', async () => {
    const { server } = await shop(row && { ...row, process: { steps: [] } }, (app) =>
      app.put('/v1/projects/shop/process', (_, reply) =>
        reply.status(422).send(problem(422, 'PROCESS_INVALID', 'step check: no machine has this role')),
      ),
    )
    const { code, stderr } = await apply(server)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/standard input:6:7: .*no machine has this role/)
  })
})
