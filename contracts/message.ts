import { z } from 'zod'

/** A fact or a request, before anything is known of where it stands. */
export interface Message {
  readonly type: string
  readonly data: unknown
}

/**
 * What the store adds to a fact when it is appended.
 * `version` counts the events of the stream from 1; `position` orders all events and only ever grows; in some
 * stores there are gaps.
 * `at` is the wall clock in milliseconds since 1970, recorded for people; no rule may depend on it.
 */
export interface Meta {
  readonly id: string
  readonly stream: string
  readonly version: number
  readonly position: number
  readonly at: number
  readonly actor: string
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string | null
}

export type Recorded<Fact extends Message = Message> = Fact & { readonly meta: Meta }

/** Who asked for something, and what made them ask: stored with every event that follows from it. */
export interface Cause {
  readonly actor: string
  readonly commandId: string
  readonly correlationId: string
  /** The event that led to this command; null when a person, a machine or another system asked. */
  readonly causationId: string | null
}

/** The schema of a request: strict, since a field we do not know is a mistake of the one who asks. */
export const request = <Type extends string, Shape extends z.core.$ZodLooseShape>(type: Type, shape: Shape) =>
  z.strictObject({ type: z.literal(type), data: z.strictObject(shape).readonly() }).readonly()

/** The schema of a fact: tolerant, since a newer writer may have said more than we can read. */
export const fact = <Type extends string, Shape extends z.core.$ZodLooseShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), data: z.object(shape).readonly() }).readonly()
