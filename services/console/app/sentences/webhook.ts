import type { WebhookEvent } from '#contracts/webhook.ts'
import { count } from '../format.ts'
import { because, type SentencesOf } from './words.ts'

const byWords = { person: 'by a person', receiver: 'by its receiver', failures: 'after failures' } as const

export const webhookSentences: SentencesOf<WebhookEvent> = {
  WebhookCreated: ({ name, url }) => `The webhook “${name}” to ${url} was made.`,
  WebhookChanged: ({ name, url }) => `The webhook “${name}” was changed; it sends to ${url}.`,
  WebhookSecretRotated: ({ secrets }) =>
    `The secret of a webhook was replaced${secrets.length > 1 ? '; the one before still signs as well' : ''}.`,
  WebhookEnabled: () => 'A webhook was enabled.',
  WebhookDisabled: ({ by, reason }) => `A webhook was disabled ${byWords[by]}${because(reason)}.`,
  WebhookDeleted: () => 'A webhook was deleted.',
  NotificationsDropped: ({ count: dropped, detail }) =>
    `A webhook will not get ${count(dropped, 'notification')}${because(detail)}.`,
}
