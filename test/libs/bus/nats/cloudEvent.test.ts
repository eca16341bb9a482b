import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { cloudEventHeaders, isRecorded, recordedFrom } from '#libs/bus/nats/cloudEvent.ts'

const text = fc.string({ unit: 'binary' })
const recorded: fc.Arbitrary<Recorded> = fc.record({
  type: text,
  data: fc.jsonValue(),
  meta: fc.record({
    id: text,
    stream: text,
    version: fc.nat(),
    position: fc.nat(),
    at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    actor: text,
    commandId: text,
    correlationId: text,
    causationId: fc.option(text),
  }),
})

describe('an event as a CloudEvent', () => {
  it('comes back to the last field, whatever its texts hold', () => {
    fc.assert(
      fc.property(recorded, (event) => {
        expect(recordedFrom(cloudEventHeaders(event), event.data)).toEqual(event)
      }),
    )
  })

  it('has header values of printable ASCII without spaces, quotes or stray percent signs', () => {
    fc.assert(
      fc.property(recorded, (event) => {
        for (const [name, values] of cloudEventHeaders(event)) {
          expect(name).toMatch(/^ce-[a-z0-9]{1,20}$/)
          expect(values).toHaveLength(1)
          expect(values[0]).toMatch(/^([\x21\x23\x24\x26-\x7e]|%[0-9A-F]{2})*$/)
        }
      }),
    )
  })

  it('escapes as the binding shows it', () => {
    const texts = { id: 'i', stream: 'a-b', commandId: 'c', correlationId: 'f', causationId: null }
    const meta = { ...texts, version: 1, position: 1, at: 0, actor: 'Euro € 😀' }
    const headers = cloudEventHeaders({ type: 'T', data: 1, meta })
    expect(headers.get('ce-actor')).toBe('Euro%20%E2%82%AC%20%F0%9F%98%80')
    expect(headers.has('ce-causationid')).toBe(false)
  })

  it.each([undefined, null, 1, 'text', {}, { type: 'T' }, { type: 'T', data: {} }, { meta: { position: 1 } }])(
    'is not made of %j',
    (payload) => expect(isRecorded(payload)).toBe(false),
  )
})
