import { describe, expect, it, vi } from 'vitest'
import type { PlanReply } from '#contracts/planRows.ts'
import type { DeploymentRow } from '#contracts/rows.ts'
import { deploymentRow } from './rows.ts'
import { jsonOf, problem, runCli, serve } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const at = '2026-11-23T08:00:00.000Z'
const plan: PlanReply = {
  ...{ deploymentId: 'd-1', state: 'running', version: 3, latestVersion: 4, at },
  targets: [{ machineId: 'm-1', name: 'web-01', roles: ['web'] }],
  steps: [
    { id: 'install', name: 'Install', kind: 'script', group: 0, machineIds: ['m-1'], canary: ['m-1'], skipped: null },
    { id: 'go', name: 'Go', kind: 'approval', group: 1, machineIds: [], canary: null, skipped: 'not this time' },
  ],
  changes: [
    ...[{ version: 3, at, position: 9, actor: 'ada', type: 'TargetExcluded', stepId: 'install' }].map((change) => ({
      ...{ ...change, why: 'web-02 left out: failed: exit code 1', added: 0, excluded: 1 },
    })),
  ],
  difference: {
    ...{ against: 2, added: [], notLetIn: [], steps: [{ id: 'go', name: 'Go', reason: 'not this time' }] },
    removed: [{ machineId: 'm-2', name: 'web-02', reason: 'failed: exit code 1', version: 3 }],
  },
}

describe('a plan', () => {
  const server = (asked: unknown[] = []) =>
    serve((app) => {
      app.get('/v1/deployments/d-1/plan', ({ query }, reply) => {
        asked.push(query)
        const { version } = query as { version?: string }
        return version === '9' ? reply.code(404).send(problem(404, 'PLAN_VERSION_UNKNOWN', 'It has 4.')) : plan
      })
    })
  it('says who is a target, what each step is for, and what changed it', async () => {
    const asked: unknown[] = []
    const { code, stdout } = await runCli(['deploy', 'plan', 'd-1', '3', '--against', '2'], {
      server: await server(asked),
    })
    expect(code).toBe(0)
    expect(asked).toEqual([{ version: '3', against: '2' }])
    expect(stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'deployment d-1',
      'version 3 of 4, as it stood',
      `since ${at}`,
      'targets 1: web-01',
      '',
      'STEP KIND GROUP MACHINES FIRST LEFT OUT',
      'install script 1 1 web-01',
      'go approval 2 - - not this time',
      '',
      'VERSION AT BY WHY',
      ` 3 ${at} ada web-02 left out: failed: exit code 1`,
      '',
      'SINCE 2 WHAT VERSION REASON',
      '- web-02 3 failed: exit code 1',
      '- step go - not this time',
      '',
    ])
  })
  it('is what the API answers for programs, and no version that there is not', async () => {
    const running = await server()
    expect(await jsonOf(['deploy', 'plan', 'd-1'], { server: running })).toEqual(plan)
    expect(await runCli(['deploy', 'plan', 'd-1', '9'], { server: running })).toMatchObject({ code: 3 })
    expect(await runCli(['deploy', 'plan', 'd-1', 'x'], { server: running })).toMatchObject({ code: 2 })
  })
})

describe('going back', () => {
  const past = (version: string, state: DeploymentRow['state'], more: Partial<DeploymentRow> = {}) =>
    deploymentRow(state, { version, startedAt: at, ...more })
  async function goBack(...rows: readonly DeploymentRow[]) {
    const asked: unknown[] = []
    const server = await serve((app) => {
      app.get<{ Querystring: { cursor?: string } }>('/v1/deployments', ({ query }) => {
        asked.push(query)
        const from = Number(query.cursor ?? 0)
        return { items: rows.slice(from, from + 2), next: from + 2 < rows.length ? String(from + 2) : null }
      })
      app.post('/v1/deployments', ({ body }) => {
        asked.push(body)
        return { id: 'd-9' }
      })
    })
    return { ...(await runCli(['deploy', 'rollback', 'shop', 'production'], { server })), asked }
  }
  it.each([
    ['before one that went well', [past('3', 'succeeded'), past('2', 'succeeded'), past('1', 'succeeded')], '3', '2'],
    ['before one that failed', [past('3', 'failed'), past('2', 'succeeded')], '3', '2'],
    ['past those that failed too', [past('3', 'failed'), past('2', 'cancelled'), past('1', 'succeeded')], '3', '1'],
    ['past the same one', [past('3', 'failed'), past('3', 'succeeded'), past('2', 'succeeded')], '3', '2'],
    [
      'past what was for some machines, came by itself, or has not begun',
      [
        past('5', 'queued', { startedAt: null }),
        past('4', 'succeeded', { partial: true }),
        past('3', 'running'),
        past('4', 'succeeded', { partial: true }),
        past('2', 'succeeded', { kind: 'automatic' }),
        past('1', 'succeeded'),
      ],
      ...['3', '1'],
    ],
  ] as const)('leads to the release %s', async (_, rows, from, to) => {
    const { code, stdout, asked } = await goBack(...rows)
    expect([code, stdout]).toEqual([0, `Deployment d-9 goes back from ${from} to ${to}.\nremuda deploy watch d-9\n`])
    expect(asked[0]).toEqual({ project: 'shop', environment: 'production' })
    expect(asked.at(-1)).toEqual({ projectId: 'shop', version: to, environmentId: 'production' })
  })
  it.each([
    ['nothing was deployed there', []],
    ['no release but 2 went well there', [past('2', 'succeeded'), past('1', 'failed')]],
  ])('is not possible when %s', async (why, rows) => {
    const { code, stderr } = await goBack(...rows)
    expect([code, stderr]).toEqual([3, expect.stringContaining(`shop cannot go back in production: ${why}.`)])
  })
})

describe('the queue', () => {
  it('is told line by line, what runs first, in the order in which they may start', async () => {
    const waits = (position: number | null) =>
      ({ reason: 'behind', detail: 'one at a time', until: null, position }) as const
    const rows = [
      deploymentRow('queued', { id: 'd-3', version: '3', waiting: waits(2) }),
      deploymentRow('queued', { id: 'd-2', version: '2', waiting: waits(1), priority: 9 }),
      deploymentRow('queued', { id: 'd-4', version: '4', waiting: { ...waits(null), reason: 'scheduled', until: at } }),
      deploymentRow('running', { id: 'd-1', version: '1' }),
      deploymentRow('running', { id: 'd-0', projectId: 'blog' }),
    ]
    const server = await serve((app) => {
      app.get<{ Querystring: { state: string } }>('/v1/deployments', ({ query: { state } }) => ({
        items: rows.filter((row) => row.state === state),
        next: null,
      }))
    })
    const { items } = (await jsonOf(['deploy', 'queue'], { server })) as { items: { id: string }[] }
    expect(items.map(({ id }) => id)).toEqual(['d-1', 'd-2', 'd-3', 'd-4'])
    const { stdout } = await runCli(['deploy', 'queue', '--project', 'shop'], { server })
    expect(stdout.split('\n')[2]!.replaceAll(/ +/g, ' ')).toBe(
      'production shop 1 2 queued 9 - behind: one at a time d-2',
    )
  })
})

describe('a log', () => {
  it('is asked for of one machine and step, as it was printed', async () => {
    const asked: unknown[] = []
    const server = await serve((app) => {
      app.get('/v1/deployments/d-1/log', ({ query, headers }, reply) => {
        asked.push(query)
        if (headers.accept === 'text/plain') return reply.type('text/plain').send('\u001b[31mred\u001b[0m\nhalf')
        reply.hijack()
        const piece = { text: '\u001b[31mred\u001b[0m\n', taskId: 't', machineName: 'web-01', stepId: 'a', attempt: 2 }
        return reply.raw.writeHead(200).end(`data: ${JSON.stringify(piece)}\n\nevent: end\ndata: {}\n\n`)
      })
    })
    const log = async (...args: string[]) => (await runCli(['deploy', 'log', 'd-1', ...args], { server })).stdout
    expect(await log('--machine', 'web-01', '--step', 'a', '--raw')).toBe('\u001b[31mred\u001b[0m\nhalf')
    expect(await log('--follow', '--raw')).toBe('\u001b[31mred\u001b[0m\n')
    expect(await log('--follow')).toBe('[web-01 a #2] \u001b[31mred\u001b[0m\n')
    expect(asked[0]).toEqual({ machine: 'web-01', step: 'a', raw: 'true' })
  })
})
