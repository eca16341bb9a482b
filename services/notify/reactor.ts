import type { Recorded } from '#contracts/message.ts'
import { categoryOf, idOf } from '#contracts/subjects.ts'
import type { WebhookEvent } from '#contracts/webhook.ts'
import type { Notification } from '#contracts/webhookRows.ts'
import { webhookDecider, type Settings, type Webhook } from './decider.ts'
import { Known, type Place } from './known.ts'
import { notificationOf } from './notification.ts'
import { isNews, topicsOf } from './topics.ts'

export interface Due {
  readonly webhookId: string
  readonly notification: Notification
}

/**
 * Says of every event who is to be told. It sees the log in order and nothing else, each webhook as it was when the event
 * was stored: so every process that reads the log finds the same notifications, with the same ids.
 */
export class Notices {
  readonly #known = new Known()
  readonly #webhooks = new Map<string, Webhook>()

  webhook(webhookId: string): Webhook | undefined {
    return this.#webhooks.get(webhookId)
  }

  /** How many there are that are not deleted. */
  get count(): number {
    return this.#webhooks.size
  }

  take(event: Recorded): readonly Due[] {
    // What webhooks do is told by none of them: one that fails must not make itself more to send.
    if (categoryOf(event.meta.stream) === 'webhook') {
      this.#fold(event as Recorded<WebhookEvent>)
      return []
    }
    const due = this.#react(event)
    this.#known.fold(event)
    return due
  }

  #react(event: Recorded): readonly Due[] {
    const topics = isNews(event) ? topicsOf(event, this.#known) : []
    const place = this.#known.placeOf(event)
    const told = [...this.#webhooks].flatMap(([webhookId, { status, settings }]) => {
      if (status !== 'enabled' || settings === null || !concerns(settings, place)) return []
      const heard = topics.filter((topic) => settings.topics.includes(topic))
      return heard.length > 0 || settings.eventTypes.includes(event.type) ? [{ webhookId, heard }] : []
    })
    return told.map(({ webhookId, heard }) => ({
      webhookId,
      notification: notificationOf(event, heard, this.#known),
    }))
  }

  #fold(event: Recorded<WebhookEvent>): void {
    const webhookId = idOf(event.meta.stream)
    const webhook = webhookDecider.evolve(this.#webhooks.get(webhookId) ?? webhookDecider.initial, event)
    if (webhook.status === 'deleted') this.#webhooks.delete(webhookId)
    else this.#webhooks.set(webhookId, webhook)
  }
}

/** Who names environments or projects hears of those alone, and not of what belongs to none. */
const concerns = ({ environmentIds, projectIds }: Settings, { environmentId, projectId }: Place): boolean =>
  (environmentIds === null || (environmentId !== null && environmentIds.includes(environmentId))) &&
  (projectIds === null || (projectId !== null && projectIds.includes(projectId)))
