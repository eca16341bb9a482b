import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { positionAt, readMoment } from '#services/query/asOf/moment.ts'

describe('a moment', () => {
  it.each([
    ['41', { position: 41 }],
    ['position:41', { position: 41 }],
    ['0', { position: 0 }],
    ['2026-11-24T09:30:00Z', { atMs: Date.UTC(2026, 10, 24, 9, 30) }],
    ['2026-11-24T09:30:00.250Z', { atMs: Date.UTC(2026, 10, 24, 9, 30, 0, 250) }],
    ['2026-11-24T09:30:00+02:00', { atMs: Date.UTC(2026, 10, 24, 7, 30) }],
  ])('is read from %s', (text, moment) => expect(readMoment(text)).toEqual(moment))
  it.each(['yesterday', '-1', '1.5', 'position:', 'position:x', '2026-11-24', '2026-13-01T00:00:00Z', '9'.repeat(16)])(
    'is not read from %s',
    (text) => expect(() => readMoment(text)).toThrow(/ASOF_INVALID/),
  )
})

it('is found by its time, whatever gaps the positions have', async () => {
  const log = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 9 }), pauseMs: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 40,
  })
  await fc.assert(
    fc.asyncProperty(log, fc.integer({ min: 0, max: 130 }), async (steps, atMs) => {
      let [position, at] = [0, 0]
      const events = steps.map(({ gap, pauseMs }) => {
        position += gap
        at += pauseMs
        return { meta: { position, at } } as Recorded
      })
      const store = {
        head: async () => position,
        readAll: async (after: number, limit: number) =>
          events.filter(({ meta }) => meta.position > after).slice(0, limit),
      }
      const expected = events.findLast(({ meta }) => meta.at <= atMs)?.meta.position ?? 0
      expect(await positionAt(store, atMs)).toBe(expected)
    }),
  )
})
