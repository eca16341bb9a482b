import { z } from 'zod'
import { displayName } from './ids.ts'
import { webhookFilter, webhookUrl } from './webhook.ts'

// The bodies that the routes of webhooks take.
const { topics, eventTypes, environmentIds, projectIds } = webhookFilter

export const CreateWebhookBody = z.strictObject({
  name: displayName,
  url: webhookUrl,
  topics: topics.default([]),
  eventTypes: eventTypes.default([]),
  environmentIds: environmentIds.default(null),
  projectIds: projectIds.default(null),
})
export const PatchWebhookBody = z.strictObject({ name: displayName, url: webhookUrl, ...webhookFilter }).partial()
/** Both secrets sign after a rotation, until the next one; a secret that others have seen is not kept. */
export const RotateWebhookBody = z.strictObject({ keepPrevious: z.boolean().default(true) })

const position = z.number()
const secret = z.string().nullable().describe('Shown once: null when the same request had been answered before.')
export const WebhookReply = z.object({ webhookId: z.string(), position })
export const WebhookSecretReply = WebhookReply.extend({ secret })
