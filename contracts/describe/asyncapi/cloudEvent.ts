import { categoryOf, idOf } from '../../subjects.ts'
import type { Json } from '../jsonSchema.ts'
import * as sample from '../samples.ts'

const text = (description: string, more: Json = {}): Json => ({ type: 'string', description, ...more })
const count = (description: string): Json => text(description, { pattern: '^[1-9][0-9]*$' })

const attributes = {
  'ce-specversion': text('The version of CloudEvents.', { const: '1.0' }),
  'ce-id': text('The id of the event. An event that comes twice has the same.'),
  'ce-source': text('`/remuda/` and the kind of stream.', { format: 'uri-reference' }),
  'ce-type': text('What happened.'),
  'ce-subject': text('Whom it happened to: the id of the stream.'),
  'ce-time': text('When it was stored, by the clock of the wall; for people only.', { format: 'date-time' }),
  'ce-datacontenttype': text('The body is JSON.', { const: 'application/json' }),
  'ce-stream': text('The stream: its kind, a dash, its id.'),
  'ce-streamversion': count('Counts the events of the stream from 1, without a hole.'),
  'ce-position': count('Grows from event to event over all streams. Remember it to go on from.'),
  'ce-actor': text('Who asked for it.'),
  'ce-commandid': text('The command that it was decided by.'),
  'ce-correlationid': text('The same for all that follows from one request.'),
  'ce-causationid': text('The event that led to it. Absent when a person, a machine or another system asked.'),
}

/** What an event carries in its headers: CloudEvents 1.0 in binary mode, as the binding for NATS writes it. */
export const cloudEventHeaders: Json = {
  type: 'object',
  description:
    'CloudEvents 1.0 in binary mode. Spaces, quotes, percent signs and all that is not printable ASCII are written as ' +
    '`%` and two hexadecimal digits for each byte of UTF-8.',
  properties: attributes,
  required: Object.keys(attributes).filter((name) => name !== 'ce-causationid'),
}

/** The headers of an example: the third event of its stream. */
export const exampleHeaders = (type: string, stream: string): Readonly<Record<string, string>> => ({
  'ce-specversion': '1.0',
  'ce-id': sample.eventId,
  'ce-source': `/remuda/${categoryOf(stream)}`,
  'ce-type': type,
  'ce-subject': idOf(stream),
  'ce-time': new Date(sample.atMs).toISOString(),
  'ce-datacontenttype': 'application/json',
  'ce-stream': stream,
  'ce-streamversion': '3',
  'ce-position': '42',
  'ce-actor': sample.actor,
  'ce-commandid': sample.commandId,
  'ce-correlationid': sample.commandId,
})
