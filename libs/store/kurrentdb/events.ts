import { jsonEvent, type EventData, type ResolvedEvent } from '@kurrent/kurrentdb-client'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { causeAt } from '../limits.ts'
import { StoreFault } from '../store.ts'
import type { Names } from './names.ts'

/** What is stored beside the data. Two of them have the names by which KurrentDB's own projections know them. */
interface Origin {
  readonly at: number
  readonly actor: string
  readonly commandId: string
  readonly $correlationId: string
  readonly $causationId: string | null
  /** Of an event that was taken over from another store, when its id is none that KurrentDB takes. */
  readonly id?: string
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * What is sent for the facts of an append. Made once for each append, since the ids are what the server knows a repeated
 * one by.
 */
export function proposalsOf(
  facts: readonly Message[],
  texts: readonly string[],
  cause: Cause | readonly Cause[],
  clock: Clock,
): readonly EventData[] {
  const at = clock.wallMs()
  return facts.map(({ type }, index) => {
    const { actor, commandId, correlationId, causationId } = causeAt(cause, index)
    const metadata = { at, actor, commandId, $correlationId: correlationId, $causationId: causationId }
    return proposal(type, JSON.parse(texts[index] as string), clock, metadata)
  })
}

/** What is sent for an event that is taken over as it is. */
export function proposalOf({ type, meta }: Recorded, text: string, clock: Clock): EventData {
  const { id, at, actor, commandId, correlationId, causationId } = meta
  const origin = { at, actor, commandId, $correlationId: correlationId, $causationId: causationId }
  const metadata: Origin = uuid.test(id) ? origin : { ...origin, id }
  const proposed = proposal(type, JSON.parse(text), clock, metadata)
  return uuid.test(id) ? { ...proposed, id } : proposed
}

/** An event that says what it has to say by its data. */
export const proposal = (type: string, data: unknown, clock: Clock, metadata: object = {}): EventData =>
  jsonEvent({ id: clock.id(), type, data: data as object, metadata } as Parameters<typeof jsonEvent>[0])

/** An event as it is told of. Throws `StoreFault` when it is none that Remuda wrote. */
export function recordedOf({ event, commitPosition }: ResolvedEvent, names: Names): Recorded {
  const { id, type, data, metadata, revision, streamId, position } = event as NonNullable<typeof event>
  const stream = names.streamOf(streamId)
  const at = safe(position?.commit ?? commitPosition ?? -1n, `an event of ${stream}`)
  if (event?.isJson !== true || !isOrigin(metadata))
    throw new StoreFault(
      `The event of ${stream} at position ${at} was not written by Remuda. Keep others from writing to its streams.`,
    )
  const { actor, commandId, $correlationId: correlationId, $causationId: causationId } = metadata
  const place = { stream, version: Number(revision) + 1, position: at, at: metadata.at }
  return { type, data, meta: { id: metadata.id ?? id, ...place, actor, commandId, correlationId, causationId } }
}

/** The answer to an append whose place in the log is known. */
export function recordedFrom(proposed: EventData, stream: string, version: number, position: bigint): Recorded {
  const { id, type, data } = proposed
  const { at, actor, commandId, $correlationId, $causationId } = proposed.metadata as unknown as Origin
  const place = { stream, version, position: safe(position, `an event of ${stream}`), at }
  return {
    type,
    data,
    meta: { id, ...place, actor, commandId, correlationId: $correlationId, causationId: $causationId },
  }
}

function isOrigin(metadata: unknown): metadata is Origin {
  const { at, actor, commandId, $correlationId, $causationId } = (metadata ?? {}) as Partial<Record<string, unknown>>
  const texts = [actor, commandId, $correlationId, $causationId ?? '']
  return typeof at === 'number' && texts.every((text) => typeof text === 'string')
}

/** A position is a number to us, which is exact up to a log of eight petabytes. */
function safe(position: bigint, what: string): number {
  const number = Number(position)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new StoreFault(
    `The server does not say where ${what} is in its log, or so far behind that it can not be counted. ` +
      'Use EventStoreDB 22.10 or KurrentDB 25 or newer.',
  )
}
