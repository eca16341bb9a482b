import type { Json } from '../jsonSchema.ts'

/** A part of the document: the channels of one kind with all that they need. */
export interface Part {
  readonly channels: Json
  readonly operations: Json
  readonly messages: Json
  readonly schemas: Json
}

/** The parts as one. A name that two of them use would silently mean only one of both, so it is an error. */
export const joined = (parts: readonly Part[]): Part => ({
  channels: merged(parts.map(({ channels }) => channels)),
  operations: merged(parts.map(({ operations }) => operations)),
  messages: merged(parts.map(({ messages }) => messages)),
  schemas: merged(parts.map(({ schemas }) => schemas)),
})

function merged(all: readonly Json[]): Json {
  const entries = all.flatMap((one) => Object.entries(one))
  const twice = entries.find(([name], at) => entries.findIndex(([other]) => other === name) !== at)
  if (twice) throw new Error(`${twice[0]} is described twice; give one of them another name`)
  return Object.fromEntries(entries)
}

export const schemaRef = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const messageRef = (name: string): Json => ({ $ref: `#/components/messages/${name}` })
export const channelRef = (name: string): Json => ({ $ref: `#/channels/${name}` })
const serverRef = (name: string): Json => ({ $ref: `#/servers/${name}` })

/** The messages of a channel as its operations name them. */
export const messagesIn = (channel: string, names: readonly string[]): readonly Json[] =>
  names.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` }))

export interface Channel {
  /** null: wherever the one who asks wants to be answered. */
  readonly address: string | null
  readonly server: 'bus' | 'agents'
  readonly title: string
  readonly description: string
  readonly messages: readonly string[]
  readonly parameters?: Json
}

export const channel = ({ address, server, title, description, messages, parameters }: Channel): Json => ({
  address,
  title,
  description,
  servers: [serverRef(server)],
  messages: Object.fromEntries(messages.map((name) => [name, messageRef(name)])),
  ...(parameters && { parameters }),
})

/** NATS hands each message to one member of the queue group, so that replicas of a service share the work. */
export const queue = (name: string): Json => ({ nats: { queue: name, bindingVersion: '0.1.0' } })

export const camel = (text: string): string => text.replaceAll(/[-.](\w)/g, (_, letter: string) => letter.toUpperCase())
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
