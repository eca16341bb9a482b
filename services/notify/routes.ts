import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ReasonBody } from '#contracts/api.ts'
import type { Answer } from '#contracts/command.ts'
import { webhookId } from '#contracts/ids.ts'
import type { Cause } from '#contracts/message.ts'
import { signerOf, type SigningSecret, type WebhookCommand } from '#contracts/webhook.ts'
import * as api from '#contracts/webhookApi.ts'
import { Deliveries, WebhookTested } from '#contracts/webhookRows.ts'
import type { Ask } from '#libs/ask.ts'
import type { Clock } from '#libs/clock.ts'
import { refuse } from '#libs/decider.ts'
import { causeOf, sendAnswer } from '#libs/http/answer.ts'
import { createdId } from '#libs/ids.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { makeSecret } from './signature.ts'

type App = Parameters<FastifyPluginAsyncZod>[0]
const tags = ['webhooks']
const params = z.strictObject({ id: webhookId })
// What is sent out leaves Remuda, so it takes more than to look.
const config = { scope: 'admin' } as const

export interface WebhookRouteOptions {
  readonly ask: Ask
  readonly clock: Clock
  /** Where signing secrets are put, for the service to find them. */
  readonly vault?: Vault | undefined
}

/** Everything under /v1/webhooks that changes one, or asks the service that delivers. */
export const webhookRoutes =
  (options: WebhookRouteOptions): FastifyPluginAsyncZod =>
  async (app) => {
    creation(app, options)
    changes(app, options)
    switches(app, options)
    questions(app, options)
  }

/** Has a fresh secret kept and used. It is shown to who asked first, and taken back when nobody has a use for it. */
async function withSecret(
  { ask, clock, vault }: WebhookRouteOptions,
  id: string,
  commandWith: (secret: SigningSecret) => WebhookCommand,
  cause: Cause,
): Promise<Answer> {
  if (vault === undefined) return refuse('SERVICE_UNAVAILABLE', 'this process runs without a vault')
  const secret = makeSecret(clock)
  const version = await vault.put(signerOf(id), secret)
  const answer = await ask('notify', commandWith(version), cause)
  const { secretStored = false, ...result } = 'refused' in answer ? {} : answer.result
  if (secretStored !== true) await vault.discard(version)
  return 'refused' in answer ? answer : { ...answer, result: { ...result, secret: secretStored ? secret : null } }
}

function creation(app: App, options: WebhookRouteOptions): void {
  const summary = 'Make a webhook; the secret that signs is shown only now'
  const schema = { tags, summary, body: api.CreateWebhookBody, response: { 201: api.WebhookSecretReply } }
  app.post('/v1/webhooks', { config, schema }, async (request, reply) => {
    const cause = causeOf(request)
    const id = createdId(cause)
    const command = (secret: SigningSecret): WebhookCommand => ({
      type: 'CreateWebhook',
      data: { webhookId: id, ...request.body, secret },
    })
    return sendAnswer(reply, await withSecret(options, id, command, cause), { status: 201 })
  })
}

function changes(app: App, options: WebhookRouteOptions): void {
  const { ask } = options
  const response = { 200: api.WebhookReply }
  app.patch(
    '/v1/webhooks/:id',
    { config, schema: { tags, params, summary: 'Change a webhook', body: api.PatchWebhookBody, response } },
    async (request, reply) => {
      const data = { webhookId: request.params.id, ...request.body }
      return sendAnswer(reply, await ask('notify', { type: 'ChangeWebhook', data }, causeOf(request)))
    },
  )
  app.delete(
    '/v1/webhooks/:id',
    { config, schema: { tags, params, summary: 'Delete a webhook and destroy its secrets', response } },
    async (request, reply) => {
      const command = { type: 'DeleteWebhook', data: { webhookId: request.params.id } }
      return sendAnswer(reply, await ask('notify', command, causeOf(request)))
    },
  )
  const summary = 'Replace the secret of a webhook; the new one is shown only now'
  const rotated = { 200: api.WebhookSecretReply }
  app.post(
    '/v1/webhooks/:id/rotate',
    { config, schema: { tags, params, summary, body: api.RotateWebhookBody, response: rotated } },
    async (request, reply) => {
      const { id } = request.params
      const command = (secret: SigningSecret): WebhookCommand => ({
        type: 'RotateWebhookSecret',
        data: { webhookId: id, secret, ...request.body },
      })
      return sendAnswer(reply, await withSecret(options, id, command, causeOf(request)))
    },
  )
}

function switches(app: App, { ask }: WebhookRouteOptions): void {
  const response = { 200: api.WebhookReply }
  app.post(
    '/v1/webhooks/:id/enable',
    { config, schema: { tags, params, summary: 'Have a webhook send again, from now on', response } },
    async (request, reply) => {
      const command = { type: 'EnableWebhook', data: { webhookId: request.params.id } }
      return sendAnswer(reply, await ask('notify', command, causeOf(request)))
    },
  )
  app.post(
    '/v1/webhooks/:id/disable',
    { config, schema: { tags, params, summary: 'Have a webhook send nothing', body: ReasonBody, response } },
    async (request, reply) => {
      const data = { webhookId: request.params.id, reason: request.body.reason }
      return sendAnswer(reply, await ask('notify', { type: 'DisableWebhook', data }, causeOf(request)))
    },
  )
}

function questions(app: App, { ask }: WebhookRouteOptions): void {
  app.post(
    '/v1/webhooks/:id/test',
    {
      config,
      schema: { tags, params, summary: 'Send a test and tell what came of it', response: { 200: WebhookTested } },
    },
    async (request, reply) => {
      const command = { type: 'TestWebhook', data: { webhookId: request.params.id } }
      return sendAnswer(reply, await ask('notify', command, causeOf(request)))
    },
  )
  const summary = 'Show the last deliveries of a webhook and what waits, since the service that delivers began'
  app.get(
    '/v1/webhooks/:id/deliveries',
    { config: { scope: 'read' }, schema: { tags, params, summary, response: { 200: Deliveries } } },
    async (request, reply) => {
      const command = { type: 'ListDeliveries', data: { webhookId: request.params.id } }
      return sendAnswer(reply, await ask('notify', command, causeOf(request)))
    },
  )
}
