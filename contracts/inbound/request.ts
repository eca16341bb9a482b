import { z } from 'zod'
import type { Scope } from '../token.ts'

/**
 * A request that other systems may make over the bus, as a CloudEvent of this type. It is one of the HTTP API's and is
 * carried out as that: the fields that the path names go there, the others are the body.
 */
export interface InboundRequest {
  readonly summary: string
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** What a credential must allow; the same as the route's. */
  readonly scope: Scope
  /** What the `data` of the CloudEvent holds. */
  readonly data: z.ZodObject
  /** The field that is the whole body of the route, where the body is one thing and not several fields. */
  readonly body?: string
}

/** A route without a body still takes an object, so that a field it does not know is told. */
export const nothing = z.strictObject({})

type Body = z.ZodObject

export const ask = (
  method: InboundRequest['method'],
  path: string,
  scope: Scope,
  data: Body,
  summary: string,
): InboundRequest => ({ summary, method, path, scope, data })
