import type { Recorded } from '#contracts/message.ts'
import { categoryOf, idOf, webhookStream } from '#contracts/subjects.ts'
import type { Topic } from '#contracts/webhook.ts'
import type { Notification } from '#contracts/webhookRows.ts'
import type { Known } from './known.ts'
import { summaryOf } from './summary.ts'

/** Of a list so many items are sent, and of a text so many characters: who wants all of it asks for the event. */
const itemsMax = 50
const charsMax = 1_000
const levelsMax = 8
const bytesMax = 65_536

/**
 * What is sent of an event. The same event always makes the same notification.
 * @param known what was known before the event
 */
export function notificationOf(event: Recorded, topics: readonly Topic[], known: Known): Notification {
  const { type, meta } = event
  const whole = {
    ...envelope(type, meta.id, meta.stream, meta.at),
    position: meta.position,
    data: { topics, summary: cutText(summaryOf(event, known)), ...known.placeOf(event), event: cut(event.data) },
  }
  if (Buffer.byteLength(JSON.stringify(whole)) <= bytesMax) return whole
  return { ...whole, data: { ...whole.data, event: scalars(whole.data.event) } }
}

/** A notification that is none, to see whether it arrives. */
export function testNotification(webhookId: string, id: string, atMs: number): Notification {
  const summary = 'This is a test of the webhook. Nothing has happened.'
  const nowhere = { environmentId: null, projectId: null }
  return {
    ...envelope('WebhookTest', id, webhookStream(webhookId), atMs),
    position: 0,
    data: { topics: [], summary, ...nowhere, event: { webhookId } },
  }
}

const envelope = (type: string, id: string, stream: string, atMs: number) => ({
  ...{ specversion: '1.0' as const, id, source: `/remuda/${categoryOf(stream)}`, type, subject: idOf(stream) },
  ...{ time: new Date(atMs).toISOString(), datacontenttype: 'application/json' as const },
})

type Fields = Record<string, unknown>
const cut = (data: unknown): Fields => cutFields((data ?? {}) as Fields, levelsMax)

function cutFields(fields: Fields, levels: number): Fields {
  const lengths = Object.entries(fields).flatMap(([name, value]) =>
    Array.isArray(value) && value.length > itemsMax ? [[`${name}Total`, value.length]] : [],
  )
  const kept = Object.entries(fields).map(([name, value]) => [name, cutValue(value, levels - 1)])
  return Object.fromEntries([...kept, ...lengths]) as Fields
}

function cutValue(value: unknown, levels: number): unknown {
  if (typeof value === 'string') return cutText(value)
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => cutValue(item, levels - 1))
  return cutFields(value as Fields, levels)
}

const cutText = (text: string): string => (text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`)

/** What is left of an event whose lists are too long even when they are cut. */
const scalars = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value !== 'object' || value === null))
