import { AcceptedAnswer } from '../../command.ts'
import { inboundRequests } from '../../inbound.ts'
import type { InboundRequest } from '../../inbound/request.ts'
import { PlainProblem } from '../../problem.ts'
import { refusals } from '../../refusals.ts'
import { inboundSubjects, inboundSubjectsAs } from '../../subjects.ts'
import { askedSchema, readSchema, type Json } from '../jsonSchema.ts'
import { requestExample } from '../requestExamples.ts'
import * as sample from '../samples.ts'
import { channel, channelRef, messagesIn, queue, schemaRef, type Channel, type Part } from './part.ts'

const answers = 'requestAnswers'
const types = Object.keys(inboundRequests)
/** Requests have the names of the commands that they lead to, and are others. */
const nameOf = (type: string) => `in.${type}`
const addressOf = (subjects: string) => subjects.replace('*', '{type}')

const text = (description: string, more: Json = {}): Json => ({ type: 'string', minLength: 1, description, ...more })
const headers: Json = {
  type: 'object',
  description: 'CloudEvents 1.0 in binary mode, and the credential.',
  properties: {
    Authorization: text('`Bearer ` and an API token, where the subject does not say who asks.'),
    'ce-specversion': text('The version of CloudEvents.', { const: '1.0' }),
    'ce-id': text('With the source, names this request for ever: sent again, it is answered and not repeated.'),
    'ce-source': text('Who asks, such as `/ci/shop`.'),
    'ce-type': text('What is asked, as in the subject.'),
    'ce-datacontenttype': text('The body is JSON.'),
    'ce-ifmatch': text('The version that is to be changed, for requests that take one.'),
    'ce-correlationid': text('Ties the events that follow to what the sender is doing.'),
  },
  required: ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'],
}

/** What other systems ask for: requests of the HTTP API, as CloudEvents, with an answer or a problem. */
export const inboundPart = (): Part => ({
  channels: {
    requests: requests(addressOf(inboundSubjects), 'The header `Authorization` says who asks.', {}),
    requestsAs: requests(addressOf(inboundSubjectsAs('{user}')), 'The subject says who asks.', {
      user: { description: 'The user whom alone the server of NATS lets publish there (`--inbound-users`).' },
    }),
    [answers]: channel({
      address: null,
      server: 'bus',
      title: 'Answers to requests',
      description: 'The inbox that NATS makes for the one who asks. What is asked without one is parked when it fails.',
      messages: ['RequestAccepted', 'RequestRefused'],
    }),
  },
  operations: {
    takeRequests: operation('requests', 'Take what other systems ask for'),
    takeRequestsAs: operation('requestsAs', 'Take what a user of NATS asks for'),
  },
  messages: {
    ...Object.fromEntries(Object.entries(inboundRequests).map(([type, one]) => [nameOf(type), message(type, one)])),
    RequestAccepted: accepted,
    RequestRefused: refused,
  },
  schemas: {
    RequestHeaders: headers,
    ...Object.fromEntries(types.map((type) => [nameOf(type), askedSchema(inboundRequests[type]!.data, 'draft-07')])),
    AcceptedAnswer: readSchema(AcceptedAnswer, 'draft-07'),
    Problem: readSchema(PlainProblem, 'draft-07'),
  },
})

const requests = (address: string, who: string, parameters: NonNullable<Channel['parameters']>): Json =>
  channel({
    address,
    server: 'bus',
    title: 'Requests of other systems',
    description:
      `Each is a request of the HTTP API. ${who} CloudEvents may be structured as well: all of it as JSON, with the ` +
      'content type `application/cloudevents+json`.',
    messages: types.map(nameOf),
    parameters: { ...parameters, type: { description: 'The type of the request.', enum: types } },
  })

const operation = (name: string, title: string): Json => ({
  action: 'receive',
  title,
  channel: channelRef(name),
  messages: messagesIn(name, types.map(nameOf)),
  reply: { channel: channelRef(answers), messages: messagesIn(answers, ['RequestAccepted', 'RequestRefused']) },
  bindings: queue('inbound'),
})

const message = (type: string, { summary, method, path, scope }: InboundRequest): Json => ({
  name: nameOf(type),
  title: type,
  summary: `${summary}.`,
  description: `Needs the scope ${scope}. The same as \`${method} ${path}\` over HTTP.`,
  contentType: 'application/json',
  headers: { type: 'object', allOf: [schemaRef('RequestHeaders'), { properties: { 'ce-type': { const: type } } }] },
  payload: schemaRef(nameOf(type)),
  examples: [
    {
      name: type,
      headers: {
        Authorization: 'Bearer <token>',
        'ce-specversion': '1.0',
        'ce-id': 'build-4711',
        'ce-source': '/ci/shop',
        'ce-type': type,
      },
      payload: requestExample(type),
    },
  ],
})

const accepted: Json = {
  name: 'RequestAccepted',
  title: 'Accepted',
  summary: 'It was done, or had been done already. A reader that has got to the position sees the effect.',
  contentType: 'application/json',
  payload: schemaRef('AcceptedAnswer'),
  examples: [{ name: 'accepted', payload: { accepted: true, position: 42, result: { id: sample.environmentId } } }],
}

const refused: Json = {
  name: 'RequestRefused',
  title: 'Refused',
  summary: 'The problem that HTTP would give. The headers of NATS services for errors tell its status and sentence.',
  contentType: 'application/problem+json',
  payload: schemaRef('Problem'),
  examples: [
    {
      name: 'refused',
      payload: {
        type: '/problems/PROJECT_UNKNOWN',
        title: refusals.PROJECT_UNKNOWN.sentence,
        status: refusals.PROJECT_UNKNOWN.status,
        detail: `There is no project ${sample.projectId}.`,
        code: 'PROJECT_UNKNOWN',
        instance: 'remuda.in.CreateRelease',
        requestId: sample.commandId,
      },
    },
  ],
}
