import { expect, it } from 'vitest'
import type { WebhookEvent } from '#contracts/webhook.ts'
import { WebhookRow } from '#contracts/webhookRows.ts'
import { api } from './api.ts'

const hears = { topics: ['deployment-failed' as const], eventTypes: [], environmentIds: null, projectIds: null }
const settings = { name: 'chat', url: 'https://hooks.example.com/a', ...hears }
const secretOf = (version: number) => ({ secretId: '5e884898da28', version })
const created = (webhookId: string): WebhookEvent => ({
  type: 'WebhookCreated',
  data: { webhookId, ...settings, secret: secretOf(1) },
})
const dropped = (count: number, cause: 'gave-up' | 'queue-full', detail: string): WebhookEvent => ({
  type: 'NotificationsDropped',
  data: { webhookId: 'a', cause, count, firstPosition: 1, lastPosition: 2, detail, at: 5 },
})

it('webhooks are listed, the latest first, without what signs', async () => {
  const { tell, all, get } = await api()
  await tell('webhook-a', created('a'))
  await tell('webhook-b', created('b'))
  const rows = await all('/v1/webhooks', 1)
  expect(rows.map(({ id }) => id)).toEqual(['b', 'a'])
  for (const row of rows) expect(WebhookRow.strict().parse(row)).toEqual(row)
  expect(JSON.stringify(rows)).not.toContain('5e884898da28')
  expect((await get('/v1/webhooks/a')).body).toEqual(rows[1])
  expect(await get('/v1/webhooks/c')).toMatchObject({ status: 404, body: { code: 'WEBHOOK_UNKNOWN' } })
})

it('a webhook is shown as it is now, with what its receiver never got', async () => {
  const { tell, get } = await api()
  await tell('webhook-a', created('a'), { type: 'WebhookChanged', data: { webhookId: 'a', ...settings, name: 'talk' } })
  await tell('webhook-a', dropped(3, 'queue-full', 'more came'), dropped(1, 'gave-up', 'it answers 500'))
  const rotated: WebhookEvent = {
    type: 'WebhookSecretRotated',
    data: { webhookId: 'a', secrets: [secretOf(2), secretOf(1)] },
  }
  const off: WebhookEvent = { type: 'WebhookDisabled', data: { webhookId: 'a', by: 'failures', reason: 'it is dead' } }
  await tell('webhook-a', rotated, off)
  expect((await get('/v1/webhooks/a')).body).toMatchObject({
    ...{ name: 'talk', secrets: 2, dropped: 4, state: 'disabled' },
    lastDrop: { cause: 'gave-up', count: 1, detail: 'it answers 500' },
    disabled: { by: 'failures', reason: 'it is dead' },
  })
  await tell('webhook-a', { type: 'WebhookEnabled', data: { webhookId: 'a' } })
  expect((await get('/v1/webhooks/a')).body).toMatchObject({ state: 'enabled', disabled: null, dropped: 4 })
  await tell('webhook-a', { type: 'WebhookDeleted', data: { webhookId: 'a' } })
  expect((await get('/v1/webhooks/a')).status).toBe(404)
})
