import { z } from 'zod'
import type { RawMessage } from '../bus/bus.ts'
import { depthOf } from '../http/body.ts'
import { issuesOf } from '../http/fields.ts'
import { Refused } from '../problem.ts'

const charsMax = 1_000
const jsonTypes = /^application\/([\w.-]+\+)?json\s*(;|$)/i
const structuredTypes = /^application\/cloudevents/i
const text = (what: string) => z.string(`${what}, as text`).min(1, `${what}, as text`).max(charsMax)

const Attributes = z.looseObject({
  specversion: z.literal('1.0', 'Remuda reads CloudEvents 1.0'),
  id: text('an id, which with the source names this request for ever'),
  source: text('who asks, such as /ci/shop'),
  type: text('the type of the request, such as CreateRelease'),
  datacontenttype: z.string().optional(),
  /** The version that is to be changed, for requests that take one. */
  ifmatch: z.union([z.string().max(charsMax), z.int()]).optional(),
  /** Ties the events that follow to what the sender is doing. */
  correlationid: z.string().optional(),
})

/** A CloudEvent of another system. */
export interface CloudEvent extends z.infer<typeof Attributes> {
  readonly data: unknown
}

/**
 * Reads a message as a CloudEvent 1.0: attributes as `ce-` headers and data as the body, or all of it as JSON.
 * @param depthMax how deep its JSON may be nested
 * @throws Refused naming what is wrong, and what a CloudEvent has there
 */
export function readCloudEvent(message: RawMessage, depthMax: number): CloudEvent {
  const { bytes, headers } = message
  const isStructured = structuredTypes.test(headers.get('content-type') ?? '')
  const inHeaders = attributesOf(headers)
  // Without headers of ours it is the form that NATS had before it had headers.
  if (!isStructured && inHeaders.size > 0) {
    const event = checked(Object.fromEntries(inHeaders), 'ce-')
    return { ...event, data: jsonOf(bytes, depthMax) }
  }
  const whole = jsonOf(bytes, depthMax)
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole))
    throw new Refused(
      'REQUEST_INVALID',
      'This is no CloudEvent: it has neither ce- headers nor a JSON object as its body.',
    )
  const event = checked(whole, '')
  return { ...event, data: 'data_base64' in event ? base64Of(event['data_base64'], depthMax) : (event['data'] ?? {}) }
}

function attributesOf(headers: RawMessage['headers']): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of headers) if (name.startsWith('ce-')) found.set(name.slice(3), unescaped(name, value))
  return found
}

/** The binding for NATS writes what is not visible ASCII as bytes in percent notation. */
function unescaped(name: string, value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    throw new Refused('REQUEST_INVALID', `${name}: a percent sign is followed by two digits of a byte of UTF-8.`)
  }
}

function checked(attributes: object, prefix: string): z.infer<typeof Attributes> {
  const parsed = Attributes.safeParse(attributes)
  if (!parsed.success) {
    const errors = issuesOf(parsed.error, '', Attributes).map(({ path, message }) => ({
      path: prefix + path.slice(1),
      message,
    }))
    throw new Refused('REQUEST_INVALID', `${errors[0]?.path}: ${errors[0]?.message}.`, { errors })
  }
  const { datacontenttype = 'application/json' } = parsed.data
  if (jsonTypes.test(datacontenttype)) return parsed.data
  throw new Refused('MEDIA_TYPE_UNSUPPORTED', `${prefix}datacontenttype: the data is application/json.`)
}

function base64Of(encoded: unknown, depthMax: number): unknown {
  if (typeof encoded !== 'string') throw new Refused('REQUEST_INVALID', 'data_base64: bytes as text.')
  return jsonOf(Buffer.from(encoded, 'base64'), depthMax)
}

/** An empty body is an empty object, so that the schema can say which fields are missing. */
function jsonOf(bytes: Uint8Array, depthMax: number): unknown {
  if (bytes.byteLength === 0) return {}
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (depthOf(json) <= depthMax) return JSON.parse(json)
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8'
    throw new Refused('REQUEST_INVALID', `The body is not acceptable JSON: ${why}.`)
  }
  throw new Refused('REQUEST_INVALID', `The JSON is nested deeper than ${depthMax} levels.`)
}
