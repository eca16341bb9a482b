import { MsgHdrsImpl, type MsgHdrs } from '@nats-io/transport-node'
import type { Meta, Recorded } from '#contracts/message.ts'
import { categoryOf, idOf } from '#contracts/subjects.ts'

// An event goes over NATS as a CloudEvent 1.0 in binary mode: attributes as headers, data as the body. So outside
// systems read it with any CloudEvents library, and we rebuild it to the last field.

export const isRecorded = (payload: unknown): payload is Recorded => {
  if (typeof payload !== 'object' || payload === null) return false
  const { type, meta } = payload as Partial<Recorded>
  return typeof type === 'string' && typeof meta?.stream === 'string' && typeof meta.position === 'number'
}

/** The attributes of an event, as the binding for NATS writes them. */
export function cloudEventHeaders({ type, meta }: Recorded): MsgHdrs {
  const { id, stream, version, position, at, actor, commandId, correlationId, causationId } = meta
  return MsgHdrsImpl.fromRecord({
    'ce-specversion': ['1.0'],
    'ce-id': [escaped(id)],
    'ce-source': [escaped(`/remuda/${categoryOf(stream)}`)],
    'ce-type': [escaped(type)],
    'ce-subject': [escaped(idOf(stream))],
    'ce-time': [new Date(at).toISOString()],
    'ce-datacontenttype': ['application/json'],
    'ce-stream': [escaped(stream)],
    'ce-streamversion': [String(version)],
    'ce-position': [String(position)],
    'ce-actor': [escaped(actor)],
    'ce-commandid': [escaped(commandId)],
    'ce-correlationid': [escaped(correlationId)],
    ...(causationId !== null && { 'ce-causationid': [escaped(causationId)] }),
  })
}

/** The event that the headers and the body make, or null when they are not one of ours. */
export function recordedFrom(headers: MsgHdrs, data: unknown): Recorded | null {
  const attributes = new Map<string, string>()
  for (const [name, [value = '']] of headers) attributes.set(name.toLowerCase(), value)
  if (!attributes.has('ce-specversion') || !attributes.has('ce-streamversion')) return null

  const text = (name: string) => unescaped(attributes.get(name) ?? '')
  const meta: Meta = {
    id: text('ce-id'),
    stream: text('ce-stream'),
    version: Number(attributes.get('ce-streamversion')),
    position: Number(attributes.get('ce-position')),
    at: Date.parse(text('ce-time')),
    actor: text('ce-actor'),
    commandId: text('ce-commandid'),
    correlationId: text('ce-correlationid'),
    causationId: attributes.has('ce-causationid') ? text('ce-causationid') : null,
  }
  return { type: text('ce-type'), data, meta }
}

// What the binding wants escaped: spaces, quotes, percent signs, and all that is not printable ASCII.
const unsafe = /[^\x21\x23\x24\x26-\x7e]+/g
const hex = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`

const escaped = (text: string): string =>
  text.search(unsafe) < 0
    ? text
    : text.replace(unsafe, (part) => Array.from(new TextEncoder().encode(part), hex).join(''))

const unescaped = (text: string): string => (text.includes('%') ? decodeURIComponent(text) : text)
