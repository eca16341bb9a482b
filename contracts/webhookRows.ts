import { z } from 'zod'
import { webhookFilter } from './webhook.ts'

// What the API answers of webhooks: never what signs. Instants are ISO 8601 in UTC.
const at = z.string()

export const WebhookRow = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  ...webhookFilter,
  state: z.enum(['enabled', 'disabled']),
  /** Who or what disabled it, and why; null while it is enabled. */
  disabled: z.object({ by: z.enum(['person', 'receiver', 'failures']), reason: z.string(), at }).nullable(),
  /** How many secrets sign: 2 while one is being replaced. */
  secrets: z.number(),
  /** Notifications that its receiver never got, and the last of them. */
  dropped: z.number(),
  lastDrop: z.object({ cause: z.string(), count: z.number(), detail: z.string(), at }).nullable(),
  createdAt: at,
})
export type WebhookRow = z.infer<typeof WebhookRow>

export const DeliveryRow = z.object({
  /** What the receiver gets as `webhook-id`: the same for every attempt. */
  id: z.string(),
  type: z.string(),
  position: z.number(),
  summary: z.string(),
  outcome: z.enum(['delivered', 'failed', 'gave-up', 'gone']),
  /** How often it has been tried. */
  attempts: z.number(),
  /** The HTTP status of the last answer; null when there was none. */
  status: z.number().nullable(),
  detail: z.string(),
  at,
})
export type DeliveryRow = z.infer<typeof DeliveryRow>

/** What the process tells that delivers: of the time since it began. */
export const Deliveries = z.object({
  waiting: z.number(),
  /** When it is tried again, where the last attempt failed. */
  nextAttemptAt: at.nullable(),
  items: z.array(DeliveryRow).readonly(),
})
export type Deliveries = z.infer<typeof Deliveries>

export const WebhookTested = z.object({ delivered: z.boolean(), status: z.number().nullable(), detail: z.string() })
export type WebhookTested = z.infer<typeof WebhookTested>

/** What a receiver gets: a CloudEvent 1.0 in JSON. A receiver that sees an id again has seen it already. */
export const Notification = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  /** The type of the event; `WebhookTest` is a test. */
  type: z.string(),
  subject: z.string(),
  time: at,
  datacontenttype: z.literal('application/json'),
  /** The event's place in the log; 0 of a test. */
  position: z.number(),
  data: z.object({
    /** Why it is sent; empty where only the type of the event was asked for. */
    topics: z.array(z.string()).readonly(),
    summary: z.string(),
    environmentId: z.string().nullable(),
    projectId: z.string().nullable(),
    /** The event itself, its long lists cut. */
    event: z.record(z.string(), z.unknown()),
  }),
})
export type Notification = z.infer<typeof Notification>
