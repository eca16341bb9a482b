import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cronFault, isAlwaysQuiet, isQuiet, quietAt } from '#libs/quietHours.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const at = (iso: string) => Date.parse(iso)
const night = (timeZone: string) => ({ cron: '0 22 * * *', forMs: 8 * hourMs, timeZone })

describe('quiet hours', () => {
  it.each([
    ['2026-05-10T21:59:59.999Z', false],
    ['2026-05-10T22:00:00.000Z', true],
    ['2026-05-10T22:00:00.500Z', true],
    ['2026-05-11T03:00:00.000Z', true],
    ['2026-05-11T05:59:59.999Z', true],
    ['2026-05-11T06:00:00.000Z', false],
    ['2026-05-11T12:00:00.000Z', false],
  ])('from ten at night for eight hours hold at %s: %s', (iso, quiet) =>
    expect(isQuiet([night('UTC')], at(iso))).toBe(quiet),
  )
  it('never hold without a rule', () => expect(isQuiet([], at('2026-05-10T22:00:00Z'))).toBe(false))
  it.each([
    // Berlin is two hours ahead of UTC in summer and one in winter; the clocks change at 01:00 UTC.
    ['the evening before summer time', '2026-03-28T20:59:59Z', false],
    ['the evening before summer time', '2026-03-28T21:00:00Z', true],
    ['the short night, eight real hours later', '2026-03-29T04:59:59Z', true],
    ['the short night, eight real hours later', '2026-03-29T05:00:00Z', false],
    ['the first evening of summer time', '2026-03-29T19:59:59Z', false],
    ['the first evening of summer time', '2026-03-29T20:00:00Z', true],
    ['the evening before winter time', '2026-10-24T20:00:00Z', true],
    ['the long night, eight real hours later', '2026-10-25T03:59:59Z', true],
    ['the long night, eight real hours later', '2026-10-25T04:00:00Z', false],
    ['the first evening of winter time', '2026-10-25T20:59:59Z', false],
    ['the first evening of winter time', '2026-10-25T21:00:00Z', true],
  ])('go by the clocks of the place: %s, %s: %s', (_, iso, quiet) =>
    expect(isQuiet([night('Europe/Berlin')], at(iso))).toBe(quiet),
  )
  it('that begin in the hour that is left out begin when it would have been over', () => {
    const rule = { cron: '30 2 * * *', forMs: hourMs, timeZone: 'Europe/Berlin' }
    expect(isQuiet([rule], at('2026-03-29T00:59:59Z'))).toBe(false)
    expect(isQuiet([rule], at('2026-03-29T01:00:00Z'))).toBe(true)
  })
  it('that begin in the hour that comes twice begin once', () => {
    const rule = { cron: '30 2 * * *', forMs: hourMs / 2, timeZone: 'Europe/Berlin' }
    const begins = ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].filter((iso) => isQuiet([rule], at(iso)))
    expect(begins).toHaveLength(1)
  })
})

describe('when quiet hours change', () => {
  it.each([
    ['while they last', '2026-05-11T03:00:00Z', true, '2026-05-11T06:00:00Z'],
    ['before they begin', '2026-05-11T12:00:00Z', false, '2026-05-11T22:00:00Z'],
  ])('is known %s', (_, iso, quiet, until) =>
    expect(quietAt([night('UTC')], at(iso))).toMatchObject({ isQuiet: quiet, untilMs: at(until) }),
  )
  it('is when the last of those that overlap is over', () => {
    const rules = [night('UTC'), { cron: '0 5 * * *', forMs: 3 * hourMs, timeZone: 'UTC' }]
    expect(quietAt(rules, at('2026-05-10T23:00:00Z')).untilMs).toBe(at('2026-05-11T08:00:00Z'))
  })
  it('is looked for again in a while when there is no end in sight', () => {
    const rules = [{ cron: '0 0 * * *', forMs: dayMs, timeZone: 'UTC' }]
    const now = at('2026-05-10T23:00:00Z')
    const { isQuiet: quiet, untilMs } = quietAt(rules, now)
    expect(quiet).toBe(true)
    expect(untilMs).toBeGreaterThan(now + dayMs)
  })
  it('is remembered, but not when the clock was set back', () => {
    const rules = [night('UTC')]
    const span = quietAt(rules, at('2026-05-11T03:00:00Z'))
    expect(quietAt(rules, at('2026-05-11T05:59:59Z'))).toBe(span)
    expect(quietAt(rules, at('2026-05-10T12:00:00Z')).isQuiet).toBe(false)
    expect(quietAt(rules, at('2026-05-11T06:00:00Z')).isQuiet).toBe(false)
  })

  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu')
  const rule = fc.record({
    cron: fc.constantFrom('0 22 * * *', '30 2 * * *', '0 */6 * * *', '15 8 * * 1-5', '0 0 1 * *'),
    forMs: fc.integer({ min: 60_000, max: 2 * dayMs }),
    timeZone: zone,
  })
  it('is told as it is, whatever was asked before', () => {
    const year = fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') })
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 3 }),
        fc.array(year, { minLength: 1, maxLength: 5 }),
        (rules, moments) => {
          for (const now of moments) {
            const span = quietAt(rules, now)
            expect(span.isQuiet).toBe(isQuiet(rules, now))
            const between = now + Math.floor((span.untilMs - 1 - now) / 2)
            expect(isQuiet(rules, between)).toBe(span.isQuiet)
            expect(isQuiet(rules, span.untilMs - 1)).toBe(span.isQuiet)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('rules of quiet hours', () => {
  it('are always quiet when one follows another without a gap', () => {
    expect(isAlwaysQuiet([{ cron: '0 * * * *', forMs: hourMs, timeZone: 'UTC' }])).toBe(true)
    expect(isAlwaysQuiet([{ cron: '0 * * * *', forMs: hourMs - 1_000, timeZone: 'UTC' }])).toBe(false)
    expect(isAlwaysQuiet([])).toBe(false)
  })
  it.each([
    ['0 22 * * 1-5', 'Europe/Berlin', null],
    ['0 0 29 2 *', 'UTC', null],
    ['0 0 30 2 *', 'UTC', 'names no moment'],
    ['0 24 * * *', 'UTC', 'is no cron rule'],
    ['0 22 * * *', 'Europe/Nowhere', 'no time zone Europe/Nowhere'],
  ])('%s in %s: %s', (cron, timeZone, fault) => {
    if (fault === null) expect(cronFault(cron, timeZone)).toBeNull()
    else expect(cronFault(cron, timeZone)).toContain(fault)
  })
})
