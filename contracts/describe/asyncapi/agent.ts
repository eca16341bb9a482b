import { agentFrames, agentFrameSchemas, serverFrames, serverFrameSchemas } from '../frames.ts'
import { askedSchema, readSchema, type Json } from '../jsonSchema.ts'
import { channel, channelRef, messagesIn, schemaRef, type Part } from './part.ts'

const socket = 'agentSocket'
const agentName = (type: string) => `agent.${type}`
const serverName = (type: string) => `server.${type}`

/** The protocol of the agents: one outbound WebSocket from each machine, JSON text frames both ways. */
export const agentPart = (): Part => {
  const fromAgent = agentFrameSchemas.map(({ type }) => agentName(type))
  const fromServer = serverFrameSchemas.map(({ type }) => serverName(type))
  return {
    channels: {
      [socket]: channel({
        address: '/v1/agent',
        server: 'agents',
        title: 'The socket of an agent',
        description:
          'The server sends a challenge, the agent answers with a hello that is signed with its key. From then on it ' +
          'sends heartbeats, and results until each is told to be stored.',
        messages: [...fromAgent, ...fromServer],
      }),
    },
    operations: {
      hearAgent: operation('receive', 'What an agent says', fromAgent),
      tellAgent: operation('send', 'What an agent is told', fromServer),
    },
    messages: Object.fromEntries([
      ...Object.entries(agentFrames).map(([type, frame]) => [agentName(type), message(agentName(type), frame)]),
      ...Object.entries(serverFrames).map(([type, frame]) => [serverName(type), message(serverName(type), frame)]),
    ]),
    schemas: Object.fromEntries([
      ...agentFrameSchemas.map(({ type, schema }) => [agentName(type), askedSchema(schema, 'draft-07')]),
      ...serverFrameSchemas.map(({ type, schema }) => [serverName(type), readSchema(schema, 'draft-07')]),
    ]),
  }
}

const message = (name: string, payload: Json): Json => ({
  name,
  title: name,
  contentType: 'application/json',
  payload: schemaRef(name),
  examples: [{ name, payload }],
})

const operation = (action: 'send' | 'receive', title: string, names: readonly string[]): Json => ({
  action,
  title,
  channel: channelRef(socket),
  messages: messagesIn(socket, names),
  tags: [{ name: 'gateway' }],
})
