import { categoryOf, eventSubject } from '../../subjects.ts'
import { eventSentences } from '../eventSentences.ts'
import { readSchema, type Json } from '../jsonSchema.ts'
import { messagesOf } from '../messages.ts'
import { streamKinds, type EventType, type StreamKind } from '../streams.ts'
import { cloudEventHeaders, exampleHeaders } from './cloudEvent.ts'
import { camel, capital, channel, channelRef, messagesIn, schemaRef, type Part } from './part.ts'

/** An event of each type, as it was really stored: what it says, by its type. */
export type EventExamples = Readonly<Record<string, Json>>

const idPattern = /\{(\w+)\}/g

/** The channels on which Remuda tells of what happened: one for each kind of stream, one message for each type. */
export const eventsPart = (examples: EventExamples): Part => {
  const kinds = streamKinds.map((kind: StreamKind) => ({ ...kind, name: `${camel(categoryOf(kind.stream))}Events` }))
  const messages = kinds.flatMap((kind) =>
    messagesOf(kind.events).map(({ type }) => [type, eventMessage(kind, type as EventType, examples)]),
  )
  const schemas = kinds.flatMap(({ events }) =>
    messagesOf(events).map(({ type, data }) => [type, readSchema(data, 'draft-07')]),
  )
  return {
    channels: Object.fromEntries(kinds.map((kind) => [kind.name, eventChannel(kind)])),
    operations: Object.fromEntries(kinds.map((kind) => [`tellOf${capital(kind.name)}`, eventOperation(kind)])),
    messages: Object.fromEntries(messages),
    schemas: { CloudEventHeaders: cloudEventHeaders, ...Object.fromEntries(schemas) },
  }
}

type Named = StreamKind & { readonly name: string }
const typesOf = ({ events }: StreamKind) => messagesOf(events).map(({ type }) => type)

const eventChannel = (kind: Named): Json =>
  channel({
    address: eventSubject(kind.stream),
    server: 'bus',
    title: `Events of ${categoryOf(kind.stream)} streams`,
    description: `${kind.about} Written by the ${kind.service} service and by nobody else.`,
    messages: typesOf(kind),
    parameters: Object.fromEntries(
      [...kind.stream.matchAll(idPattern)].map(([, id = '']) => [
        id,
        { description: `The field \`${id}\` of the event; dots and spaces in it are written as underscores.` },
      ]),
    ),
  })

const eventOperation = (kind: Named): Json => ({
  action: 'send',
  title: `Tell of ${categoryOf(kind.stream)} streams`,
  summary: kind.about,
  description:
    'In the order of each stream, at least once: an event may come again, under the same id and position. What was ' +
    'missed can be read from the log, `GET /v1/events?after=` and the last position.',
  channel: channelRef(kind.name),
  messages: messagesIn(kind.name, typesOf(kind)),
  tags: [{ name: kind.service }],
})

function eventMessage({ service, stream }: StreamKind, type: EventType, examples: EventExamples): Json {
  const payload = exampleOf(type, examples)
  const headers = exampleHeaders(
    type,
    stream.replaceAll(idPattern, (_, id: string) => String(payload[id])),
  )
  return {
    name: type,
    title: type,
    summary: eventSentences[type],
    description: `Recorded by the ${service} service. The body is what the event says; the rest is in the headers.`,
    contentType: 'application/json',
    headers: {
      type: 'object',
      allOf: [schemaRef('CloudEventHeaders'), { properties: { 'ce-type': { const: type } } }],
    },
    payload: schemaRef(type),
    tags: [{ name: service }],
    examples: [{ name: type, summary: eventSentences[type], headers, payload }],
    'x-service': service,
  }
}

/** @throws when there is no golden event of the type, which says how to add one */
export function exampleOf(type: string, examples: EventExamples): Json {
  const example = examples[type]
  if (example !== undefined) return example
  throw new Error(
    `There is no golden event of type ${type}. Add one, as it is stored, to test/contracts/golden.v1.json.`,
  )
}
