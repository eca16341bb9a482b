import { z } from 'zod'
import { displayName, environmentId, instantMs, projectId, reason, webhookId } from './ids.ts'
import { fact, request } from './message.ts'

/** What an operator wants to hear of, in their words: each is one notification for each outcome or incident. */
export const Topic = z.enum([
  'deployment-ended',
  'deployment-failed',
  'deployment-waits',
  'incident-opened',
  'incident-closed',
  'removal-withheld',
  'machine-removed',
  'machine-quarantined',
  'release-circuit-opened',
])
export type Topic = z.infer<typeof Topic>

const urlCharsMax = 2_048
const namedMax = 100

/** Where notifications are sent. It is part of the log, so it holds no credential: no user and no password. */
export const webhookUrl = z
  .string()
  .max(urlCharsMax)
  .regex(
    /^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/,
    'a webhook takes an address such as https://hooks.example.com/a, without a user',
  )

const named = <Item extends z.ZodType>(item: Item) => z.array(item).max(namedMax).readonly()
const some = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(namedMax).readonly().nullable()
const eventType = z.string().regex(/^[A-Z][A-Za-z]{0,99}$/, 'an event type looks like DeploymentFailed')

/** What a webhook hears of. Of environments and projects null means all; an event that has none belongs to no list. */
export const webhookFilter = {
  topics: named(Topic),
  /** Every event of these types, one notification for each. */
  eventTypes: named(eventType),
  environmentIds: some(environmentId),
  projectIds: some(projectId),
}
const settings = { name: displayName, url: webhookUrl, ...webhookFilter }
const kept = { ...settings, url: z.string() }

/** Whose a signing secret is, in the vault: no project has such an id, so it is the secret of no variable. */
export const signerOf = (webhookId: string) => ({ projectId: 'webhook:', name: webhookId, scope: 'signing' })

/** A version of the signing secret in the vault; the secret itself is in no event. */
export const SigningSecret = z.object({ secretId: z.string(), version: z.number().int().positive() })
export type SigningSecret = z.infer<typeof SigningSecret>

export const WebhookCommand = z.discriminatedUnion('type', [
  request('CreateWebhook', { webhookId, ...settings, secret: SigningSecret.strict() }),
  /** What is left out stays as it is. */
  request('ChangeWebhook', { webhookId, ...z.object(settings).partial().shape }),
  /** Both secrets sign from now on, unless the previous one is not to be trusted any more. */
  request('RotateWebhookSecret', { webhookId, secret: SigningSecret.strict(), keepPrevious: z.boolean() }),
  request('EnableWebhook', { webhookId }),
  request('DisableWebhook', { webhookId, reason }),
  request('DeleteWebhook', { webhookId }),
  /** Sends a notification that is none and answers with what the receiver said; records nothing. */
  request('TestWebhook', { webhookId }),
  /** The last deliveries and what waits, as the process knows it that delivers; records nothing. */
  request('ListDeliveries', { webhookId }),
])
export type WebhookCommand = z.infer<typeof WebhookCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const WebhookEvent = z.discriminatedUnion('type', [
  fact('WebhookCreated', { webhookId, ...kept, secret: SigningSecret }),
  fact('WebhookChanged', { webhookId, ...kept }),
  /** The secrets that sign from now on, the newest first. */
  fact('WebhookSecretRotated', { webhookId, secrets: z.array(SigningSecret).min(1).max(2).readonly() }),
  /** Notifications begin with what happens from here on. */
  fact('WebhookEnabled', { webhookId }),
  fact('WebhookDisabled', { webhookId, by: z.enum(['person', 'receiver', 'failures']), reason: z.string() }),
  fact('WebhookDeleted', { webhookId }),
  /** Notifications that the receiver will not get, of the events from one position of the log to another. */
  fact('NotificationsDropped', {
    webhookId,
    cause: z.enum(['queue-full', 'gave-up', 'disabled']),
    count: z.number().int().positive(),
    firstPosition: z.number(),
    lastPosition: z.number(),
    detail: z.string(),
    at: instantMs,
  }),
])
export type WebhookEvent = z.infer<typeof WebhookEvent>
