import type { DeliveryRow, WebhookRow } from '#contracts/webhookRows.ts'
import { sendAnswer, sendRefusal } from '#libs/http/answer.ts'
import type { Http } from '#libs/http/http.ts'
import { agoIso, minuteMs } from './consoleRows.ts'

/** Who is told of what happens, beside what `consoleApi` shows of it. */
interface WebhookWorld {
  webhooks: readonly WebhookRow[]
}

export const webhookRow = (id: string, name: string, more: Partial<WebhookRow> = {}): WebhookRow => ({
  ...{ id, name, url: `https://hooks.example.com/${name}`, topics: ['deployment-failed', 'incident-opened'] },
  ...{ eventTypes: [], environmentIds: null, projectIds: null, state: 'enabled', disabled: null, secrets: 1 },
  ...{ dropped: 0, lastDrop: null, createdAt: agoIso(900 * minuteMs) },
  ...more,
})

export const webhookRows = [
  webhookRow('w-1', 'chat', { secrets: 2, eventTypes: ['StepFailed'] }),
  webhookRow('w-2', 'pager', {
    ...{ state: 'disabled', environmentIds: ['production'], dropped: 1_204 },
    disabled: {
      by: 'failures',
      reason: '5 were given up in a row; the last: it answers 503',
      at: agoIso(7 * minuteMs),
    },
    lastDrop: { cause: 'gave-up', count: 1, detail: 'it answers 503', at: agoIso(7 * minuteMs) },
  }),
]

const delivery = (at: number, outcome: DeliveryRow['outcome'], status: number | null, detail: string): DeliveryRow => ({
  ...{ id: `n-${at}`, type: 'DeploymentFailed', position: 40 + at, summary: 'The deployment of shop 1.4.2 failed.' },
  ...{ outcome, attempts: outcome === 'delivered' ? 1 : 3, status, detail, at: agoIso(at * 3 * minuteMs) },
})
export const deliveries = [
  delivery(1, 'failed', 503, 'it answers 503'),
  delivery(2, 'delivered', 204, 'it answers 204'),
  delivery(3, 'gave-up', null, 'it did not answer in time'),
]

const hidden = { schema: { hide: true } }
const read = { ...hidden, config: { scope: 'read' } } as const
const admin = { ...hidden, config: { scope: 'admin' } } as const

export function webhookRoutes(app: Http, world: WebhookWorld): void {
  const done = (result = {}) => ({ accepted: true, position: 0, result }) as const
  const idOf = (request: { params: unknown }) => (request.params as { id: string }).id
  const change = (id: string, changes: Partial<WebhookRow>) => {
    world.webhooks = world.webhooks.map((row) => (row.id === id ? { ...row, ...changes } : row))
  }
  app.get('/v1/webhooks', read, () => ({ items: world.webhooks, next: null }))
  app.get('/v1/webhooks/:id/deliveries', read, (request, reply) =>
    // As the server does: who delivers answers this, and knows no question about positions.
    Object.keys(request.query as object).length > 0
      ? sendRefusal(reply, { refused: 'REQUEST_INVALID', detail: 'querystring: it is not known here' })
      : { waiting: 4, nextAttemptAt: agoIso(-2 * minuteMs), items: deliveries },
  )
  app.post('/v1/webhooks', admin, (request, reply) => {
    const row = request.body as WebhookRow
    if (row.url.includes('//localhost'))
      return sendRefusal(reply, { refused: 'WEBHOOK_ADDRESS_REFUSED', detail: 'Not to this server.' })
    world.webhooks = [webhookRow('w-3', row.name, row), ...world.webhooks]
    return sendAnswer(reply, done({ webhookId: 'w-3', secret: 'whsec_made' }), { status: 201 })
  })
  app.patch('/v1/webhooks/:id', admin, (request, reply) => {
    change(idOf(request), request.body as Partial<WebhookRow>)
    return sendAnswer(reply, done())
  })
  app.delete('/v1/webhooks/:id', admin, (request, reply) => {
    world.webhooks = world.webhooks.filter(({ id }) => id !== idOf(request))
    return sendAnswer(reply, done())
  })
  app.post('/v1/webhooks/:id/rotate', admin, (request, reply) => {
    change(idOf(request), { secrets: 2 })
    return sendAnswer(reply, done({ webhookId: idOf(request), secret: 'whsec_rotated' }))
  })
  app.post('/v1/webhooks/:id/enable', admin, (request, reply) => {
    change(idOf(request), { state: 'enabled', disabled: null })
    return sendAnswer(reply, done())
  })
  app.post('/v1/webhooks/:id/disable', admin, (request, reply) => {
    const { reason } = request.body as { reason: string }
    change(idOf(request), { state: 'disabled', disabled: { by: 'person', reason, at: agoIso(0) } })
    return sendAnswer(reply, done())
  })
  app.post('/v1/webhooks/:id/test', admin, (_, reply) =>
    sendAnswer(reply, done({ delivered: false, status: 500, detail: 'it answers 500' })),
  )
}
