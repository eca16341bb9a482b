import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { messagesOf } from '#contracts/describe/messages.ts'
import { streamKinds, type StreamKind } from '#contracts/describe/streams.ts'
import { goldenEvents } from './goldenEvents.ts'

const schemaOf = new Map(
  streamKinds.flatMap(({ events }: StreamKind) =>
    messagesOf(events).map(({ type }) => [type, events as unknown as z.ZodType] as const),
  ),
)
const howToAdd =
  'Add one event of each of these types, as the store keeps it, to test/contracts/golden.v1.json; ' +
  'then npm run contracts:generate.'

describe('events that were stored once', () => {
  it('have one kept of every type', () => {
    const kept = new Set(goldenEvents.map(({ type }) => type))
    expect(
      [...schemaOf.keys()].filter((type) => !kept.has(type)),
      howToAdd,
    ).toEqual([])
  })

  it('are of types that there are', () => {
    const unknown = goldenEvents.filter(({ type }) => !schemaOf.has(type))
    expect(unknown, 'An event type is never renamed or taken away, since its events are still in the log.').toEqual([])
  })

  it.each(goldenEvents)('are read as they were written: $type of $file', ({ type, data }) => {
    // A field that was added since with a default may be there as well.
    expect(schemaOf.get(type)!.parse({ type, data })).toMatchObject({ type, data })
  })

  it.each(goldenEvents)('may have been written by a newer version: $type of $file', ({ type, data }) => {
    const newer = { type, data: { ...data, addedLater: true }, addedLater: true }
    expect(schemaOf.get(type)!.parse(newer)).toEqual(schemaOf.get(type)!.parse({ type, data }))
  })
})
