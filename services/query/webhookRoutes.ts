import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { OneQuery, PageQuery } from '#contracts/api.ts'
import { webhookId } from '#contracts/ids.ts'
import { WebhookRow } from '#contracts/webhookRows.ts'
import { found, fresh, pageOf, sendDoc, sendPage, type Asked } from './answers.ts'
import { webhooks } from './views/webhooks.ts'

const config = { scope: 'read' } as const
const tags = ['webhooks']
const params = z.strictObject({ id: webhookId })

/** Who is told of what happens. */
export const webhookQueryRoutes =
  ({ query }: Asked): FastifyPluginAsyncZod =>
  async (app) => {
    const listed = { tags, summary: 'List webhooks, the latest first', response: { 200: pageOf(WebhookRow) } }
    app.get('/v1/webhooks', { config, schema: { ...listed, querystring: PageQuery } }, async (request, reply) => {
      const { minPosition, ...page } = request.query
      await fresh(query, minPosition)
      const order = ['createdAt', 'key']
      const list = { list: 'webhooks', view: webhooks, where: [], order, descending: true, ...page }
      return sendPage(reply, query.reader.page(list))
    })

    const shown = { tags, params, summary: 'Show a webhook', response: { 200: WebhookRow } }
    app.get('/v1/webhooks/:id', { config, schema: { ...shown, querystring: OneQuery } }, async (request, reply) => {
      await fresh(query, request.query.minPosition)
      const { id } = request.params
      const row = found(query.reader.one(webhooks, id), 'WEBHOOK_UNKNOWN', `There is no webhook ${id}.`)
      return sendDoc(request, reply, row.doc)
    })
  }
