import { Buffer } from 'node:buffer'
import type { Cause, Message, Recorded } from '#contracts/message.ts'

/** What every store refuses, whichever kind it is, so that what works on a laptop works on a cluster. */
export const storeLimits = {
  streamCharsMax: 400,
  typeCharsMax: 128,
  factsPerAppendMax: 1_000,
  idCharsMax: 200,
  factBytesMax: 1_048_576,
  appendCharsMax: 16 * 1_048_576,
  pageEventsMax: 10_000,
} as const

const controlCharacter = /[\u0000-\u001f\u007f]/

/**
 * Throws a `RangeError` that names what is wrong when an append can not be stored: it is a mistake of the caller, and
 * the same call would fail again.
 */
export function checkAppend(
  stream: string,
  expectedVersion: number,
  facts: readonly Message[],
  cause: Cause | readonly Cause[],
): void {
  checkStream(stream)
  if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0)
    throw new RangeError(`expected version of ${stream}: a whole number from 0, not ${expectedVersion}`)
  if (facts.length > storeLimits.factsPerAppendMax)
    throw new RangeError(`${stream}: ${facts.length} facts in one append, at most ${storeLimits.factsPerAppendMax}`)
  if (Array.isArray(cause) && cause.length !== facts.length)
    throw new RangeError(`${stream}: ${facts.length} facts with ${cause.length} causes; one for all, or one for each`)
}

/** Throws a `RangeError` that names what is wrong when events can not be taken over from another store. */
export function checkAdopted(events: readonly Recorded[]): void {
  const { factsPerAppendMax, idCharsMax } = storeLimits
  if (events.length === 0 || events.length > factsPerAppendMax)
    throw new RangeError(`1 to ${factsPerAppendMax} events are taken over at once, not ${events.length}`)
  for (const { meta } of events) {
    const { id, stream, version, at, actor, commandId, correlationId, causationId } = meta
    checkStream(stream)
    checkName(`an event's id`, id, idCharsMax)
    if (!Number.isSafeInteger(version) || version < 1)
      throw new RangeError(`${stream}: a version is a whole number from 1, not ${version}`)
    if (!Number.isSafeInteger(at)) throw new RangeError(`${stream}: the time of version ${version} is no whole number`)
    for (const text of [actor, commandId, correlationId, causationId ?? ''])
      if (typeof text !== 'string') throw new RangeError(`${stream}: the cause of version ${version} is not whole`)
  }
}

/** Whether every event continues its stream, whose version before them is asked for. */
export function areNext(events: readonly Recorded[], versionOf: (stream: string) => number): boolean {
  const versions = new Map<string, number>()
  return events.every(({ meta: { stream, version } }) => {
    const before = versions.get(stream) ?? versionOf(stream)
    versions.set(stream, version)
    return version === before + 1
  })
}

/** The cause of one fact of an append. */
export const causeAt = (cause: Cause | readonly Cause[], index: number): Cause =>
  Array.isArray(cause) ? (cause as readonly Cause[])[index]! : (cause as Cause)

export const checkStream = (stream: string): void => checkName(`a stream's name`, stream, storeLimits.streamCharsMax)

/** Throws a `RangeError` unless every store can keep this as a name. */
export function checkName(what: string, name: string, charsMax: number): void {
  if (typeof name !== 'string' || name.length === 0 || name.length > charsMax)
    throw new RangeError(`${what} has 1 to ${charsMax} characters, this one ${name?.length}`)
  if (!name.isWellFormed() || controlCharacter.test(name))
    throw new RangeError(`${what} is well-formed text without control characters: ${JSON.stringify(name)}`)
}

/** The data of each fact as JSON text. Throws a `RangeError` when one is no JSON, or they are too large. */
export function serialise(stream: string, facts: readonly Message[]): readonly string[] {
  const texts: string[] = []
  let chars = 0
  for (const fact of facts) {
    const text = serialiseOne(stream, fact)
    chars += text.length
    texts.push(text)
  }
  if (chars > storeLimits.appendCharsMax)
    throw new RangeError(`${stream}: ${chars} characters in one append, at most ${storeLimits.appendCharsMax}`)
  return texts
}

function serialiseOne(stream: string, { type, data }: Message): string {
  const { typeCharsMax, factBytesMax } = storeLimits
  if (typeof type !== 'string' || type.length === 0 || type.length > typeCharsMax || !type.isWellFormed())
    throw new RangeError(`${stream}: a fact's type has 1 to ${typeCharsMax} characters: ${JSON.stringify(type)}`)
  const text = jsonOf(stream, type, data)
  // A character takes at most three bytes, so most facts need not be measured.
  if (text.length * 3 > factBytesMax && Buffer.byteLength(text) > factBytesMax)
    throw new RangeError(`${stream}: ${type} has ${Buffer.byteLength(text)} bytes, at most ${factBytesMax}`)
  return text
}

function jsonOf(stream: string, type: string, data: unknown): string {
  try {
    const text = JSON.stringify(data) as string | undefined
    if (text !== undefined) return text
  } catch (cause) {
    throw new RangeError(`${stream}: the data of ${type} can not be written as JSON`, { cause })
  }
  throw new RangeError(`${stream}: the data of ${type} is nothing that JSON can say`)
}

/** Throws a `RangeError` unless `after` and `limit` describe a page. */
export function checkPage(after: number, limit: number): void {
  const { pageEventsMax } = storeLimits
  if (!Number.isSafeInteger(after) || after < 0)
    throw new RangeError(`a position is a whole number from 0, not ${after}`)
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > pageEventsMax)
    throw new RangeError(`a page has 1 to ${pageEventsMax} events, not ${limit}`)
}
