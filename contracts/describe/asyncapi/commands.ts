import { Answer, CommandEnvelope } from '../../command.ts'
import { commandSubject } from '../../subjects.ts'
import { commandExamples } from '../commandExamples.ts'
import { commandSentences } from '../commandSentences.ts'
import { inboxes, type CommandType, type Inbox } from '../inboxes.ts'
import { askedSchema, readSchema, type Json } from '../jsonSchema.ts'
import { messagesOf } from '../messages.ts'
import * as sample from '../samples.ts'
import { capital, channel, channelRef, messagesIn, queue, schemaRef, type Part } from './part.ts'

const answers = 'answers'

/** The channels on which services ask each other, each with the answer that it gets. */
export const commandsPart = (): Part => {
  const asked = inboxes.flatMap(({ commands }: Inbox) => commands.flatMap(messagesOf))
  return {
    channels: {
      ...Object.fromEntries(inboxes.map((inbox: Inbox) => [channelName(inbox), commandChannel(inbox)])),
      [answers]: channel({
        address: null,
        server: 'bus',
        title: 'Answers',
        description: 'The subject that NATS makes for the one who asks, and that the request names.',
        messages: ['Answer'],
      }),
    },
    operations: Object.fromEntries(inboxes.map((inbox) => [`decide${capital(channelName(inbox))}`, operation(inbox)])),
    messages: {
      ...Object.fromEntries(asked.map(({ type }) => [type, commandMessage(type)])),
      Answer: answerMessage,
    },
    schemas: {
      ...Object.fromEntries(asked.map(({ type, schema }) => [type, askedSchema(schema, 'draft-07')])),
      Cause: askedSchema(CommandEnvelope.shape.cause, 'draft-07'),
      Answer: readSchema(Answer, 'draft-07'),
    },
  }
}

const channelName = ({ service }: Inbox) => `${service}Commands`
const typesOf = ({ commands }: Inbox) => commands.flatMap((union) => messagesOf(union).map(({ type }) => type))

const commandChannel = (inbox: Inbox): Json =>
  channel({
    address: commandSubject(inbox.service, '{type}', inbox.to && `{${inbox.to.name}}`),
    server: 'bus',
    title: `Commands of ${inbox.service}`,
    description: `${inbox.about} For the services of Remuda alone: other systems use HTTP.`,
    messages: typesOf(inbox),
    parameters: {
      type: { description: 'The type of the command.', enum: typesOf(inbox) },
      ...(inbox.to && { [inbox.to.name]: { description: inbox.to.description } }),
    },
  })

const operation = (inbox: Inbox): Json => ({
  action: 'receive',
  title: `Decide what is asked of ${inbox.service}`,
  summary: inbox.about,
  description:
    'A command id that comes again is answered as it was the first time and changes nothing more, so whoever got no ' +
    'answer asks again.',
  channel: channelRef(channelName(inbox)),
  messages: messagesIn(channelName(inbox), typesOf(inbox)),
  reply: { channel: channelRef(answers), messages: messagesIn(answers, ['Answer']) },
  tags: [{ name: inbox.service }],
  bindings: queue(inbox.service),
})

/** A command as it goes over the bus, with who asked for it. */
const commandMessage = (type: string): Json => ({
  name: type,
  title: type,
  summary: commandSentences[type as CommandType],
  contentType: 'application/json',
  payload: {
    type: 'object',
    properties: { command: schemaRef(type), cause: schemaRef('Cause') },
    required: ['command', 'cause'],
    additionalProperties: false,
  },
  examples: [{ name: type, payload: { command: commandExample(type as CommandType), cause: sample.cause } }],
})

/** A command of the type, as it is asked. */
export const commandExample = (type: CommandType): Json => ({ type, data: commandExamples[type] })

const answerMessage: Json = {
  name: 'Answer',
  title: 'Answer',
  summary: 'Accepted, with the position of the effect and what was made; or refused, with a code and what to do.',
  contentType: 'application/json',
  payload: schemaRef('Answer'),
  examples: [
    { name: 'accepted', payload: { accepted: true, position: 42, result: { environmentId: sample.environmentId } } },
    {
      name: 'refused',
      payload: { refused: 'MACHINE_UNKNOWN', detail: `there is no machine ${sample.machineId}` },
    },
  ],
}
