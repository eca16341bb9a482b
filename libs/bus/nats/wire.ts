import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node'
import { BusFault, type Headers, type RawAnswer, type RawMessage } from '../bus.ts'
import { cloudEventHeaders, isRecorded, recordedFrom } from './cloudEvent.ts'

const errorHeader = 'Nats-Service-Error'
const errorCodeHeader = 'Nats-Service-Error-Code'
const errorCharsMax = 1_000

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const nothing = new Uint8Array(0)

export interface Frame {
  readonly data: Uint8Array
  readonly headers: MsgHdrs | undefined
}

/**
 * A payload as it goes over the wire: events as CloudEvents, all else as JSON. Nothing is an empty body.
 * @throws BusFault when it does not fit into what the server takes, or cannot be written as JSON
 */
export function frameOf(subject: string, payload: unknown, bytesMax: number, more: Headers = {}): Frame {
  const frame = isRecorded(payload)
    ? { data: bodyOf(subject, payload.data), headers: cloudEventHeaders(payload) }
    : { data: bodyOf(subject, payload), headers: Object.keys(more).length === 0 ? undefined : headers() }
  for (const [name, value] of Object.entries(more)) frame.headers?.set(name, value)
  const { byteLength } = frame.data
  if (byteLength <= bytesMax) return frame
  throw new BusFault(
    'failed',
    `a message for ${subject} has ${byteLength} bytes and NATS takes ${bytesMax}. Raise max_payload of the server, ` +
      'or send less at once.',
  )
}

function bodyOf(subject: string, payload: unknown): Uint8Array {
  if (payload === undefined) return nothing
  try {
    return encoder.encode(JSON.stringify(payload))
  } catch (cause) {
    throw new BusFault('failed', `a message for ${subject} cannot be written as JSON`, { cause })
  }
}

/** @throws BusFault when the message is neither JSON nor one of our events */
export function payloadOf({ subject, data, headers: found }: Msg): unknown {
  try {
    const payload: unknown = data.length === 0 ? undefined : JSON.parse(decoder.decode(data))
    return (found && recordedFrom(found, payload)) ?? payload
  } catch (cause) {
    throw new BusFault('failed', `a message on ${subject} is not JSON`, { cause })
  }
}

/** A failure goes back the way that NATS services tell of theirs, so that its tools count and show it. */
export function failureHeaders(reason: string): MsgHdrs {
  const failure = headers()
  for (const [name, value] of Object.entries(failureRecord(reason, 500))) failure.set(name, value)
  return failure
}

const failureRecord = (reason: string, status: number): Headers => ({
  [errorHeader]: reason.replaceAll(/\s+/g, ' ').slice(0, errorCharsMax),
  [errorCodeHeader]: String(status),
})

/** A message of another system, whatever it is. Headers that cannot be read are none. */
export function rawOf(message: Msg): RawMessage {
  const found = new Map<string, string>()
  try {
    for (const [name, [value = '']] of message.headers ?? []) {
      const key = name.toLowerCase()
      if (!found.has(key)) found.set(key, value)
    }
  } catch {
    found.clear()
  }
  return { subject: message.subject, bytes: message.data, headers: found, answerWanted: isInbox(message.reply) }
}

/**
 * Whether a subject is one for answers, as clients and servers of NATS make them up. Where an outsider wants its answer
 * sent is what it writes there, and we may publish where it may not: to the API of JetStream, to our own services.
 */
export const isInbox = (reply: string | undefined): boolean => reply !== undefined && /^_\w*\./.test(reply)

/** The answer to such a message. One that says no is marked as a failure, and yet says all of it. */
export const rawFrame = (subject: string, { payload, headers: own, failure }: RawAnswer, bytesMax: number): Frame =>
  frameOf(subject, payload, bytesMax, {
    ...own,
    ...(failure !== null && failureRecord(failure.reason, failure.status)),
  })

/** What went wrong over there, or null when it did not. */
export const failureOf = ({ headers: found }: { readonly headers?: MsgHdrs | undefined }): string | null =>
  found?.has(errorHeader) === true ? found.get(errorHeader) : null
