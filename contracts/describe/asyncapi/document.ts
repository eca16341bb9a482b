import { allEvents } from '../../subjects.ts'
import type { Json } from '../jsonSchema.ts'
import { agentPart } from './agent.ts'
import { commandsPart } from './commands.ts'
import { eventsPart, type EventExamples } from './events.ts'
import { inboundPart } from './inbound.ts'
import { joined } from './part.ts'
import { signalsPart } from './signals.ts'

const description = `Everything that goes over the bus, and the protocol of the agents.

**Events** are what happened. Each is told on \`remuda.events.<kind of stream>.<id>\`, as a CloudEvent 1.0 in binary mode;
subscribe to \`${allEvents}\` for all of them, or \`remuda.events.machine.*\` for one kind. An event that is missed is not
lost: the log keeps all of them, and answers from any position on (\`GET /v1/events\`, \`GET /v1/events/stream\`). Take no
offence at fields and types that are not described here: a newer version may say more.

**Requests** are what other systems ask for, on \`remuda.in.<type>\`: those of the HTTP API, which \`/openapi.json\` describes.

**Commands** are how the services ask each other, and are for nobody else.

**Signals** are true at the moment and are not kept.`

const servers: Json = {
  bus: {
    host: '{host}:{port}',
    protocol: 'nats',
    title: 'The bus',
    description:
      'The NATS server, or cluster, that `REMUDA_BUS_URL` names. Without one, all this stays in the process.',
    variables: {
      host: { default: 'localhost', description: 'The host of any server of the cluster.' },
      port: { default: '4222', description: 'The port for clients.' },
    },
  },
  agents: {
    host: '{host}:{port}',
    protocol: 'ws',
    title: 'The server, as agents reach it',
    description: 'A proxy that ends TLS stands before it; then the protocol is wss.',
    variables: {
      host: { default: 'localhost', description: 'The host of Remuda.' },
      port: { default: '4780', description: 'The port of Remuda, or of the proxy.' },
    },
  },
}

/** The whole of what Remuda says and hears beside HTTP, as an AsyncAPI document. */
export function asyncApi(version: string, examples: EventExamples): Json {
  const { channels, operations, messages, schemas } = joined([
    eventsPart(examples),
    inboundPart(),
    commandsPart(),
    signalsPart,
    agentPart(),
  ])
  return {
    asyncapi: '3.0.0',
    id: 'urn:remuda',
    info: {
      title: 'Remuda',
      version,
      description,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers,
    channels,
    operations,
    components: { schemas, messages },
  }
}
