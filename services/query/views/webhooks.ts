import type { WebhookEvent } from '#contracts/webhook.ts'
import type { WebhookRow } from '#contracts/webhookRows.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

/** Webhooks, without anything that their secrets could be told from. */
export const webhooks: View<WebhookRow, WebhookEvent> = {
  name: 'webhooks.v1',
  observes: [
    ...(['WebhookCreated', 'WebhookChanged', 'WebhookSecretRotated', 'WebhookEnabled'] as const),
    ...(['WebhookDisabled', 'WebhookDeleted', 'NotificationsDropped'] as const),
  ],
  columns: { createdAt: (row) => row.createdAt },
  indexes: [['createdAt', 'key']],
  keysOf: ({ data }) => [data.webhookId],

  project(row, { type, data, meta }) {
    switch (type) {
      case 'WebhookCreated': {
        const { webhookId: id, secret: _, ...settings } = data
        const fresh = { state: 'enabled', disabled: null, secrets: 1, dropped: 0, lastDrop: null } as const
        return { id, ...settings, ...fresh, createdAt: iso(meta.at) }
      }
      case 'WebhookChanged': {
        const { webhookId: id, ...settings } = data
        return row && { ...row, ...settings, id }
      }
      case 'WebhookSecretRotated':
        return row && { ...row, secrets: data.secrets.length }
      case 'WebhookEnabled':
        return row && { ...row, state: 'enabled', disabled: null }
      case 'WebhookDisabled':
        return row && { ...row, state: 'disabled', disabled: { by: data.by, reason: data.reason, at: iso(meta.at) } }
      case 'WebhookDeleted':
        return null
      case 'NotificationsDropped': {
        const { cause, count, detail } = data
        return row && { ...row, dropped: row.dropped + count, lastDrop: { cause, count, detail, at: iso(meta.at) } }
      }
    }
  },
}
