import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GapReason, type ObserverEvent } from '#contracts/health.ts'
import { Gaps } from '#libs/gaps.ts'

const about = { observerId: 'health', reason: 'stopped' as const }
const started = (startedAt: number): ObserverEvent => ({ type: 'ObservationGapStarted', data: { ...about, startedAt } })
const ended = (startedAt: number, endedAt: number): ObserverEvent => ({
  type: 'ObservationGapEnded',
  data: { ...about, startedAt, endedAt },
})
const gapsOf = (...events: readonly ObserverEvent[]) => {
  const gaps = new Gaps()
  for (const event of events) gaps.apply(event)
  return gaps
}
const gap = (from: number, to: number) => [started(from), ended(from, to)]

describe('when several observe', () => {
  const of = (observerId: string, event: ObserverEvent): ObserverEvent =>
    ({ ...event, data: { ...event.data, observerId } }) as ObserverEvent

  it('time that several missed is taken out once', () => {
    const both = [...gap(100, 150), ...gap(120, 180).map((event) => of('health.1', event))]
    expect(gapsOf(...both).observedMs(50, 250)).toBe(120)
    expect(gapsOf(...both).observingSince).toBe(180)
  })
  it('nobody is judged while one of them does not observe', () => {
    const gaps = gapsOf(started(100), of('health.1', started(150)), ended(100, 160))
    expect(gaps.observingSince).toBeNull()
    expect(gaps.observedMs(120, 300)).toBe(0)
    gaps.apply(of('health.1', ended(150, 200)))
    expect(gaps.observingSince).toBe(200)
    expect(gaps.observedMs(120, 300)).toBe(100)
  })
})

describe('the time that was observed', () => {
  it.each([
    ['all of it without a gap', [], 100, 200, 100],
    ['nothing of a gap that covers it', gap(50, 250), 100, 200, 0],
    ['what lies around a gap', gap(120, 150), 100, 200, 70],
    ['what lies behind a gap', gap(50, 150), 100, 200, 50],
    ['what lies before a gap', gap(150, 250), 100, 200, 50],
    ['what lies between gaps', [...gap(90, 110), ...gap(190, 300)], 100, 200, 80],
    ['all of it when the gaps are elsewhere', [...gap(0, 100), ...gap(200, 300)], 100, 200, 100],
    ['what came before a gap that is still open', [started(150)], 100, 200, 50],
    ['nothing since a gap that is still open', [started(50)], 100, 200, 0],
    ['nothing when time runs backwards', [], 200, 100, 0],
    ['no less than nothing when gaps overlap', [...gap(100, 200), ...gap(100, 200)], 100, 200, 0],
    ['what an end says that nobody began', [ended(120, 150)], 100, 200, 70],
    ['by the end of a gap, wherever it was said to begin', [started(150), ended(140, 160)], 100, 200, 80],
  ])('is %s', (_, events, since, now, observed) => expect(gapsOf(...events).observedMs(since, now)).toBe(observed))

  it('never exceeds the time that really passed outside of all gaps', () => {
    const spans = fc.array(fc.tuple(fc.nat(1_000), fc.nat(200)), { maxLength: 20 })
    fc.assert(
      fc.property(spans, fc.nat(1_000), fc.nat(500), fc.boolean(), (all, since, length, open) => {
        const events = all.flatMap(([from, lasts]) => gap(from, from + lasts))
        const gaps = gapsOf(...events, ...(open ? [started(since + length)] : []))
        const observed = gaps.observedMs(since, since + length)
        let really = 0
        for (let at = since; at < since + length; at++)
          if (all.every(([from, lasts]) => at < from || at >= from + lasts)) really++
        expect(observed).toBeLessThanOrEqual(really)
        expect(observed).toBeGreaterThanOrEqual(0)
      }),
    )
  })
  it.each(GapReason.options)('leaves out a gap of the reason %s', (reason) => {
    const events = gap(120, 150).map((event) => ({ ...event, data: { ...event.data, reason } }) as ObserverEvent)
    expect(gapsOf(...events).observedMs(100, 200)).toBe(70)
    expect(gapsOf(...events).observingSince).toBe(150)
    expect(gapsOf(events[0]!).observingSince).toBeNull()
  })
  it('is not more because a clock that was set tells of an end before the beginning', () => {
    const gaps = gapsOf(started(150), ended(150, 40), ...gap(160, 170))
    expect([gaps.observedMs(100, 200), gaps.observingSince]).toEqual([90, 170])
  })
  it('of several observers never exceeds the time in which all of them really observed', () => {
    const span = fc.tuple(
      fc.nat(3),
      fc.nat(400),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(...GapReason.options),
    )
    fc.assert(
      fc.property(
        fc.array(span, { maxLength: 15 }),
        fc.nat(400),
        fc.nat(300),
        fc.nat(15),
        (spans, since, length, open) => {
          // Each observer has one gap at a time, so one that begins inside another of the same observer is left out.
          const real = spans.filter(
            ([who, from], index) =>
              !spans
                .slice(0, index)
                .some(([other, start, lasts]) => other === who && from <= start + lasts && start <= from + 60),
          )
          const now = since + length
          const told = real.flatMap(([who, from, lasts, reason], index) => {
            const data = { observerId: `health.${who}`, reason, startedAt: from }
            const begin: ObserverEvent = { type: 'ObservationGapStarted', data }
            const end: ObserverEvent = { type: 'ObservationGapEnded', data: { ...data, endedAt: from + lasts } }
            // The last ones may still go on.
            return index < real.length - open ? [begin, end] : [begin]
          })
          const goesOn = new Set(real.slice(Math.max(0, real.length - open)))
          const isBlind = (at: number) => real.some((one) => at >= one[1] && (goesOn.has(one) || at < one[1] + one[2]))
          let really = 0
          for (let at = since; at < now; at++) if (!isBlind(at)) really++
          expect(gapsOf(...told).observedMs(since, now)).toBeLessThanOrEqual(really)
        },
      ),
      { numRuns: 500 },
    )
  })
  it('is exact when gaps do not overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 20 }), fc.nat(500), (pauses, since) => {
        let at = 0
        const spans = pauses.map(([before, lasts]) => [(at += before), (at += lasts)] as const)
        const now = since + 700
        const gone = spans.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, now) - Math.max(a, since)), 0)
        expect(gapsOf(...spans.flatMap(([a, b]) => gap(a, b))).observedMs(since, now)).toBe(700 - gone)
      }),
    )
  })
})

describe('since when somebody observes', () => {
  it.each([
    ['from the beginning, as far as anybody knows', [], 0],
    ['since the last gap ended', [...gap(10, 20), ...gap(30, 40)], 40],
    ['not now, in a gap', [...gap(10, 20), started(30)], null],
  ])('is %s', (_, events, since) => expect(gapsOf(...events).observingSince).toBe(since))
})
