import { z } from 'zod'
import type { Cause, Message } from './message.ts'
import { refusals, type RefusalCode } from './refusals.ts'

/** The services. Each changes only its own streams; the relay changes nothing and carries events to the bus. */
export const serviceNames = [
  'relay',
  'registry',
  'health',
  'policy',
  'deployment',
  'gateway',
  'query',
  'notify',
] as const
export type ServiceName = (typeof serviceNames)[number]

const causeId = z.string().min(1)

/** A command on its way to the service that decides it, with who asked for it and what made them ask. */
export const CommandEnvelope = z.strictObject({
  command: z.looseObject({ type: z.string() }),
  cause: z.strictObject({
    actor: causeId,
    commandId: causeId,
    correlationId: causeId,
    causationId: causeId.nullable(),
  }),
})
export interface CommandEnvelope {
  readonly command: Message
  readonly cause: Cause
}

export const AcceptedAnswer = z.object({
  accepted: z.literal(true),
  /** The position up to which a reader must have got to see the effect. */
  position: z.number(),
  /** What the command made: ids, one-time secrets. */
  result: z.record(z.string(), z.unknown()).readonly(),
})
export type AcceptedAnswer = Readonly<z.infer<typeof AcceptedAnswer>>

const RefusedAnswer = z.object({
  refused: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]),
  detail: z.string(),
})

/** What a command is answered: accepted, or refused, which is an answer and not an error. */
export const Answer = z.union([AcceptedAnswer, RefusedAnswer])
export type Answer = Readonly<z.infer<typeof Answer>>
