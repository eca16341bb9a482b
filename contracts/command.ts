import type { Cause, Message } from './message.ts'
import type { RefusalCode } from './refusals.ts'

/** The services. Each changes only its own streams; the relay changes nothing and carries events to the bus. */
export const serviceNames = ['relay', 'registry', 'health', 'policy', 'deployment', 'gateway', 'query'] as const
export type ServiceName = (typeof serviceNames)[number]

/** A command on its way to the service that decides it. */
export interface CommandEnvelope {
  readonly command: Message
  readonly cause: Cause
}

/**
 * What a command is answered: accepted, with the position up to which a reader must have got to see its effect and
 * what it made (ids, one-time secrets); or refused, which is an answer and not an error.
 */
export type Answer = AcceptedAnswer | RefusedAnswer

export interface AcceptedAnswer {
  readonly accepted: true
  readonly position: number
  readonly result: Readonly<Record<string, unknown>>
}

export interface RefusedAnswer {
  readonly refused: RefusalCode
  readonly detail: string
}
