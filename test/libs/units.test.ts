import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { duration, durationBetween, durationMaxMs, parseDuration } from '#contracts/units.ts'
import { formatDuration, speakDuration } from '#libs/units.ts'

describe('a duration as text', () => {
  it.each([
    ['250', 250],
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['30d', 2_592_000_000],
    ['1.5h', 5_400_000],
    ['10 s', 10_000],
  ])('%s is read', (text, ms) => expect(parseDuration(text)).toBe(ms))
  it.each(['', 'soon', '-5s', '5 weeks', '1e3', '5s5', 'Infinity'])('"%s" is not a duration', (text) => {
    expect(parseDuration(text)).toBeNull()
  })
  it('is read back as the same milliseconds, whatever they are', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: durationMaxMs }), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
  it('is written in the largest unit that fits', () => {
    expect([600_000, 90_000, 1_500, 0, 86_400_000].map(formatDuration)).toEqual(['10m', '90s', '1500ms', '0ms', '1d'])
  })
  it.each([
    [7_800_000, '2 h 10 min'],
    [45_000, '45 s'],
    [259_200_000, '3 d'],
    [61_500, '1 min 1 s'],
    [900, '900 ms'],
    [0, '0 ms'],
    [1_400, '1 s'],
  ])('%i ms are spoken as %s', (ms, text) => expect(speakDuration(ms)).toBe(text))
})

describe('the duration schema', () => {
  it('takes milliseconds or text and gives milliseconds', () => {
    expect([duration.parse(5), duration.parse('5s')]).toEqual([5, 5_000])
  })
  it('refuses what is out of range, in either notation', () => {
    const brief = durationBetween(1_000, 60_000)
    for (const given of [999, '999ms', '2m', 'soon', -1, 1.5]) expect(brief.safeParse(given).success).toBe(false)
  })
  it('says what is accepted', () => {
    expect(duration.safeParse('soon').error?.issues[0]?.message).toContain('such as 500ms, 10s, 5m, 2h, 30d')
  })
  it('passes backwards, as rows that are sent out do', () => expect(z.encode(duration, 5_000)).toBe(5_000))
  it('can be described to outsiders, both ways', () => {
    expect(z.toJSONSchema(duration, { io: 'input' }).anyOf).toHaveLength(2)
    expect(z.toJSONSchema(duration, { io: 'output' }).type).toBe('integer')
  })
})
