import type { FastifyInstance } from 'fastify'
import { describe, expect, it, vi } from 'vitest'
import type { Deliveries, WebhookRow } from '#contracts/webhookRows.ts'
import { runCli, serve } from './support.ts'

// Each command is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 })

const at = '2026-11-23T08:00:00.000Z'
const row = (id: string, more: Partial<WebhookRow> = {}): WebhookRow => ({
  ...{ id, name: 'chat', url: 'https://hooks.example.com/a', topics: ['deployment-failed'], eventTypes: [] },
  ...{ environmentIds: null, projectIds: ['shop'], state: 'enabled', disabled: null, secrets: 1 },
  ...{ dropped: 0, lastDrop: null, createdAt: at, ...more },
})

async function withServer(rows: readonly WebhookRow[], routes: (app: FastifyInstance) => void = () => {}) {
  const sent: { method: string; url: string; body: unknown }[] = []
  const server = await serve((app) => {
    app.addHook('preHandler', async ({ method, url, body }) => {
      if (method !== 'GET') sent.push({ method, url, body })
    })
    app.get('/v1/webhooks', () => ({ items: rows, next: null }))
    routes(app)
  })
  return { sent, run: (...words: string[]) => runCli(['webhook', ...words], { server }) }
}

describe('remuda webhook', () => {
  it('makes one, and shows what signs', async () => {
    const { sent, run } = await withServer([], (app) =>
      app.post('/v1/webhooks', () => ({ webhookId: 'w1', position: 3, secret: 'whsec_c2VjcmV0' })),
    )
    const hears = ['--topic', 'deployment-failed,incident-opened', '--event-type', 'StepFailed', '--project', 'shop']
    const { code, stdout } = await run('create', 'chat', 'https://hooks.example.com/a', ...hears)
    expect([code, stdout]).toEqual([0, 'whsec_c2VjcmV0\n\nIt is shown only now, and signs what w1 sends.\n'])
    const body = { name: 'chat', url: 'https://hooks.example.com/a', projectIds: ['shop'] }
    const topics = ['deployment-failed', 'incident-opened']
    expect(sent).toEqual([
      { method: 'POST', url: '/v1/webhooks', body: { ...body, topics, eventTypes: ['StepFailed'] } },
    ])
  })
  it('says what to do when the secret has been shown before', async () => {
    const { run } = await withServer([], (app) =>
      app.post('/v1/webhooks', () => ({ webhookId: 'w1', position: 3, secret: null })),
    )
    const { code, stderr } = await run('create', 'chat', 'https://hooks.example.com/a', '--topic', 'machine-removed')
    expect(code).not.toBe(0)
    expect(stderr).toContain('remuda webhook rotate w1')
  })
  it('changes one that is named, and only what is said', async () => {
    const { sent, run } = await withServer([row('w1')], (app) => app.patch('/v1/webhooks/w1', () => ({ position: 4 })))
    const { code, stdout } = await run('change', 'chat', '--project', 'all')
    expect([code, stdout]).toEqual([0, 'Webhook w1 is changed.\n'])
    expect(sent).toEqual([{ method: 'PATCH', url: '/v1/webhooks/w1', body: { projectIds: null } }])
  })
  it('does not guess which of two is meant', async () => {
    const { sent, run } = await withServer([row('w1'), row('w2')])
    const { code, stderr } = await run('delete', 'chat')
    expect(code).not.toBe(0)
    expect(stderr).toContain('w1, w2')
    expect(sent).toEqual([])
  })
  it('tells what came of a test, and by its exit code too', async () => {
    const { run } = await withServer([row('w1')], (app) =>
      app.post('/v1/webhooks/w1/test', () => ({ delivered: false, status: 401, detail: 'it answers 401' })),
    )
    const { code, stdout } = await run('test', 'chat')
    expect([code === 0, stdout]).toEqual([false, 'Not delivered: it answers 401.\n'])
  })
  it('shows one with what it lost, and its last deliveries', async () => {
    const lost = { cause: 'gave-up', count: 2, detail: 'it answers 500', at }
    const disabled = { by: 'failures' as const, reason: '5 in a row', at }
    const dead = row('w1', { dropped: 2, lastDrop: lost, disabled, state: 'disabled' })
    const item = { id: 'e-1', type: 'DeploymentFailed', position: 9, summary: 'It failed.', outcome: 'failed' as const }
    const items = [{ ...item, attempts: 3, status: 500, detail: 'it answers 500', at }]
    const { run } = await withServer([dead], (app) => {
      app.get('/v1/webhooks/w1', () => dead)
      app.get('/v1/webhooks/w1/deliveries', (): Deliveries => ({ waiting: 4, nextAttemptAt: at, items }))
    })
    expect((await run('get', 'w1')).stdout).toMatch(
      /disabled .*by failures: 5 in a row[^]*2 \(gave-up\), it answers 500/,
    )
    expect((await run('list')).stdout).toMatch(
      /w1 +chat +disabled +https:\/\/hooks\.example\.com\/a +deployment-failed +2/,
    )
    const { stdout, stderr } = await run('deliveries', 'chat')
    expect(stdout).toMatch(/failed +3 +500 +DeploymentFailed +It failed\. +it answers 500 +e-1/)
    expect(stderr).toContain('4 waiting, tried again')
  })
})
