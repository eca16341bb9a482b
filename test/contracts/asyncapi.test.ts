import { describe, expect, it } from 'vitest'
import { streamKinds, type StreamKind } from '#contracts/describe/streams.ts'
import { messagesOf } from '#contracts/describe/messages.ts'
import type { Recorded } from '#contracts/message.ts'
import * as subjects from '#contracts/subjects.ts'
import { cloudEventHeaders } from '#libs/bus/nats/cloudEvent.ts'
import { channelsOf, committedText, contradiction, exampleContradiction, mistakesOf, readAsyncApi } from './asyncapi.ts'
import { goldenEvents } from './goldenEvents.ts'

const document = await readAsyncApi()
const kinds = streamKinds.flatMap((kind: StreamKind) => messagesOf(kind.events).map(({ type }) => ({ ...kind, type })))

const messages = document
  .components()
  .messages()
  .all()
  .map((message) => ({ name: message.name(), message }))

/** A golden event in its place in the log. */
function recorded(type: string, data: Readonly<Record<string, unknown>>): Recorded {
  const { stream } = kinds.find((kind) => kind.type === type)!
  const at = { version: 3, position: 42, at: 1_795_425_749_696 }
  const who = { id: 'e-1', actor: 'user:Jörg "Kim"', commandId: 'c-1', correlationId: 'f-1', causationId: 'e-0' }
  return { type, data, meta: { ...at, ...who, stream: filled(stream, data) } }
}
const filled = (stream: string, data: Readonly<Record<string, unknown>>) =>
  stream.replaceAll(/\{(\w+)\}/g, (_, id: string) => String(data[id]))

describe('the AsyncAPI document', () => {
  it('is of version 3 and what the parser of AsyncAPI takes without a warning', () => {
    expect(document.version()).toBe('3.0.0')
    expect(document.info().title()).toBe('Remuda')
    expect(document.servers().map((server) => server.protocol())).toEqual(['nats', 'ws'])
  })

  it.each([
    ['an operation on a channel that is not there', withoutChannel],
    ['a type in a schema that does not exist', withUnknownType],
  ])('would not be taken with %s', async (_, spoil) => {
    const document = JSON.parse(committedText()) as Document
    spoil(document)
    expect(await mistakesOf(JSON.stringify(document))).not.toEqual([])
  })

  it.each(kinds)('says what $type means and whose it is', ({ type, service, stream }) => {
    const message = document.components().messages().get(type)!
    expect(message.summary()).toMatch(/^[A-Z].+\.$/)
    expect(message.tags().map((tag) => tag.name())).toEqual([service])
    expect(message.extensions().get('x-service')?.value()).toBe(service)
    const channels = document.channels().filter((channel) => channel.messages().some((one) => one.name() === type))
    expect(channels.map((channel) => channel.address())).toEqual([subjects.eventSubject(stream)])
  })

  it.each(goldenEvents)('describes $type of $file as it goes over the bus', ({ type, data }) => {
    const event = recorded(type, data)
    const headers = Object.fromEntries([...cloudEventHeaders(event)].map(([name, [value = '']]) => [name, value]))
    const heard = { subject: subjects.eventSubject(event.meta.stream), headers, payload: data }
    expect(contradiction(document, heard, type)).toBeNull()
    const { 'ce-position': _, ...lacking } = headers
    expect(contradiction(document, { ...heard, headers: lacking }, type)).toContain('ce-position')
    expect(contradiction(document, { ...heard, headers: { ...headers, 'ce-type': 'Other' } }, type)).toContain(
      'ce-type',
    )
  })

  it.each(kinds)('shows $type with the headers that Remuda writes', ({ type }) => {
    const [example] = document.components().messages().get(type)!.examples().all()
    const shown = example!.headers() as Record<string, string>
    const meta = {
      id: shown['ce-id']!,
      stream: shown['ce-stream']!,
      version: Number(shown['ce-streamversion']),
      position: Number(shown['ce-position']),
      at: Date.parse(shown['ce-time']!),
      actor: shown['ce-actor']!,
      commandId: shown['ce-commandid']!,
      correlationId: shown['ce-correlationid']!,
      causationId: null,
    }
    const written = cloudEventHeaders({ type, data: null, meta })
    expect(shown).toEqual(Object.fromEntries([...written].map(([name, [value]]) => [name, value])))
  })

  it('describes every parameter of an address, and no other', () => {
    for (const channel of document.channels()) {
      const named = [...(channel.address() ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(
        channel
          .parameters()
          .all()
          .map((parameter) => parameter.id()),
      ).toEqual(named)
    }
  })

  it.each(messages)('takes its own examples: $name', ({ message }) => {
    const examples = message.examples().all()
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(exampleContradiction(message, example)).toBeNull()
  })

  it.each(Object.entries(subjects).filter(([name]) => !shared.includes(name)))('knows the subject of %s', (name) => {
    const subject = subjectOf[name] ?? subjects.eventSubject(streamOf(name))
    expect(channelsOf(document, subject).map((channel) => channel.id())).toHaveLength(1)
  })
})

/** What makes streams and subjects, or takes them apart, and is none by itself. */
const shared = ['categoryOf', 'idOf', 'allEvents', 'eventSubject', 'allCommandsOf', 'inboundTypeOf']
const subjectOf: Readonly<Record<string, string>> = {
  commandSubject: subjects.commandSubject('gateway', 'PingMachine', 'gateway-1'),
  parkedRetrySubject: subjects.parkedRetrySubject('removals.v1'),
  heartbeatSignal: subjects.heartbeatSignal(3),
  checkSignal: subjects.checkSignal(3),
  inboundSubjects: subjects.inboundSubjects.replace('*', 'CreateRelease'),
  inboundSubjectsAs: subjects.inboundSubjectsAs('ci').replace('*', 'CreateRelease'),
  taskLeaseSignal: subjects.taskLeaseSignal,
  sessionSignal: subjects.sessionSignal,
}
const streamOf = (name: string) =>
  (subjects as unknown as Readonly<Record<string, (...ids: string[]) => string>>)[name]!('a', 'b')

interface Document {
  readonly channels: Record<string, unknown>
  readonly components: { readonly schemas: Record<string, unknown> }
}

function withoutChannel({ channels }: Document): void {
  delete channels['machineEvents']
}

function withUnknownType({ components }: Document): void {
  components.schemas['MachineEnabled'] = { type: 'machine' }
}
