import type { SigningSecret, WebhookCommand, WebhookEvent } from '#contracts/webhook.ts'
import { refuse, type Decider, type Decision } from '#libs/decider.ts'

type Fact<Type extends WebhookEvent['type']> = Extract<WebhookEvent, { type: Type }>
export type Settings = Omit<Fact<'WebhookChanged'>['data'], 'webhookId'>

export interface Webhook {
  readonly status: 'unknown' | 'enabled' | 'disabled' | 'deleted'
  readonly settings: Settings | null
  /** What signs, the newest first. */
  readonly secrets: readonly SigningSecret[]
}

/** What a webhook may be asked, by persons and by the process that delivers. What only asks is none of it. */
export type WebhookRequest =
  | Exclude<WebhookCommand, { type: 'TestWebhook' | 'ListDeliveries' }>
  | { readonly type: 'StopWebhook'; readonly data: Fact<'WebhookDisabled'>['data'] }
  | { readonly type: 'TellDropped'; readonly data: Fact<'NotificationsDropped'>['data'] }

/** While a secret is replaced, receivers know either this one or the one before. */
const secretsMax = 2

export const webhookDecider: Decider<Webhook, WebhookRequest, WebhookEvent> = {
  initial: { status: 'unknown', settings: null, secrets: [] },

  decide(request, state) {
    const { webhookId } = request.data
    if (request.type === 'CreateWebhook') return create(request.data, state)
    // One that is deleted is deleted, however often it is said.
    if (request.type === 'DeleteWebhook' && state.status === 'deleted') return []
    if (state.settings === null) return refuse('WEBHOOK_UNKNOWN', `There is no webhook ${webhookId}.`)
    switch (request.type) {
      case 'ChangeWebhook':
        return change(request.data, state.settings)
      case 'RotateWebhookSecret': {
        const { secret, keepPrevious } = request.data
        const secrets = keepPrevious ? [secret, ...state.secrets].slice(0, secretsMax) : [secret]
        return [{ type: 'WebhookSecretRotated', data: { webhookId, secrets } }]
      }
      case 'EnableWebhook':
        return state.status === 'enabled' ? [] : [{ type: 'WebhookEnabled', data: { webhookId } }]
      case 'DisableWebhook': {
        const data = { webhookId, by: 'person', reason: request.data.reason } as const
        return state.status === 'disabled' ? [] : [{ type: 'WebhookDisabled', data }]
      }
      case 'StopWebhook':
        return state.status === 'disabled' ? [] : [{ type: 'WebhookDisabled', data: request.data }]
      case 'DeleteWebhook':
        return [{ type: 'WebhookDeleted', data: { webhookId } }]
      case 'TellDropped':
        return [{ type: 'NotificationsDropped', data: request.data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'WebhookCreated': {
        const { webhookId: _, secret, ...settings } = event.data
        return { status: 'enabled', settings, secrets: [secret] }
      }
      case 'WebhookChanged': {
        const { webhookId: _, ...settings } = event.data
        return { ...state, settings }
      }
      case 'WebhookSecretRotated':
        return { ...state, secrets: event.data.secrets }
      case 'WebhookEnabled':
        return { ...state, status: 'enabled' }
      case 'WebhookDisabled':
        return { ...state, status: 'disabled' }
      case 'WebhookDeleted':
        return { status: 'deleted', settings: null, secrets: [] }
      case 'NotificationsDropped':
        return state
    }
  },
}

function create(data: Fact<'WebhookCreated'>['data'], { status }: Webhook): Decision<WebhookEvent> {
  if (status !== 'unknown') return []
  return hearsNothing(data) ?? [{ type: 'WebhookCreated', data }]
}

function change(
  { webhookId, ...changes }: Extract<WebhookCommand, { type: 'ChangeWebhook' }>['data'],
  before: Settings,
): Decision<WebhookEvent> {
  const {
    name = before.name,
    url = before.url,
    topics = before.topics,
    eventTypes = before.eventTypes,
    environmentIds = before.environmentIds,
    projectIds = before.projectIds,
  } = changes
  const settings = { name, url, topics, eventTypes, environmentIds, projectIds }
  if (JSON.stringify(settings) === JSON.stringify(before)) return []
  return hearsNothing(settings) ?? [{ type: 'WebhookChanged', data: { webhookId, ...settings } }]
}

const hearsNothing = ({ topics, eventTypes }: Pick<Settings, 'topics' | 'eventTypes'>) =>
  topics.length + eventTypes.length > 0
    ? null
    : refuse('WEBHOOK_INVALID', 'Name at least one topic or one type of event that it is to hear of.')
