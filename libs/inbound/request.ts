import { inboundRequests } from '#contracts/inbound.ts'
import type { InboundRequest } from '#contracts/inbound/request.ts'
import { inboundTypeOf } from '#contracts/subjects.ts'
import type { RawMessage } from '../bus/bus.ts'
import { issuesOf } from '../http/fields.ts'
import type { HttpLimits } from '../http/limits.ts'
import { Refused } from '../problem.ts'
import { readCloudEvent, type CloudEvent } from './cloudEvent.ts'

/** A request of another system that can be read: what it asks for, in whose words. */
export interface Readable {
  readonly event: CloudEvent
  readonly request: InboundRequest
  readonly data: Readonly<Record<string, unknown>>
}

/** @throws Refused when the message is too large, or no CloudEvent; it says what is wrong */
export function readEvent(
  message: RawMessage,
  { bodyMaxBytes, jsonDepthMax }: Pick<HttpLimits, 'bodyMaxBytes' | 'jsonDepthMax'>,
): CloudEvent {
  const { byteLength } = message.bytes
  if (byteLength > bodyMaxBytes)
    throw new Refused('BODY_TOO_LARGE', `The message has ${byteLength} bytes; ${bodyMaxBytes} at most.`)
  return readCloudEvent(message, jsonDepthMax)
}

/**
 * Reads a CloudEvent as one of the requests of the contract.
 * @throws Refused naming every field that is wrong, and what it takes
 */
export function readRequest(subject: string, event: CloudEvent): Readable {
  const type = inboundTypeOf(subject)
  // Who may publish where is a matter of subjects, so the subject is what counts.
  if (event.type !== type)
    throw new Refused('REQUEST_INVALID', `type: the subject asks for ${type}, the CloudEvent for ${event.type}.`)
  const request = Object.hasOwn(inboundRequests, type) ? inboundRequests[type] : undefined
  if (request === undefined)
    throw new Refused('ROUTE_UNKNOWN', `${type} cannot be asked for; ${Object.keys(inboundRequests).join(', ')} can.`)

  const parsed = request.data.safeParse(event.data)
  if (parsed.success) return { event, request, data: event.data as Readable['data'] }
  const errors = issuesOf(parsed.error, 'data', request.data)
  throw new Refused('REQUEST_INVALID', `${errors[0]?.path}: ${errors[0]?.message}`, { errors })
}
