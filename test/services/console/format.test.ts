import { describe, expect, it } from 'vitest'
import {
  ago,
  bytes,
  count,
  duration,
  exactTime,
  listed,
  percent,
  since,
  slugOf,
  words,
} from '../../../services/console/app/format.ts'

const now = Date.parse('2026-11-23T12:00:00Z')

describe('what the console writes', () => {
  it.each([
    [0, '0 s'],
    [-5_000, '0 s'],
    [999, '999 ms'],
    [0.4, '0 s'],
    [12_400, '12 s'],
    [60_000, '1 min'],
    [61_000, '1 min 1 s'],
    [41 * 60_000 + 9_000, '41 min'],
    [130 * 60_000, '2 h 10 min'],
    [26 * 3_600_000, '1 d 2 h'],
    [30 * 86_400_000, '30 d'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text))

  it.each([
    ['2026-11-23T12:00:00Z', 'now', 'just now'],
    ['2026-11-23T11:59:48Z', '12 s', '12 s ago'],
    ['2026-11-23T11:56:00Z', '4 min', '4 min ago'],
    ['2026-11-14T12:00:00Z', '9 d', '9 d ago'],
    // The clock of the server may be a little ahead of the browser's.
    ['2026-11-23T12:00:09Z', 'now', 'just now'],
    ['yesterday', '–', '–'],
  ])('%s was %s', (instant, short, phrase) => {
    expect(since(instant, now)).toBe(short)
    expect(ago(instant, now)).toBe(phrase)
  })

  it('says counts, shares, sizes and lists as people do', () => {
    expect([count(1, 'machine'), count(0, 'machine'), count(1_200, 'machine')]).toEqual([
      '1 machine',
      '0 machines',
      '1,200 machines',
    ])
    expect(percent(0.3574)).toBe('36\u00a0%')
    expect([bytes(0), bytes(512), bytes(2_048), bytes(8 * 1024 ** 3), bytes(64 * 1024 ** 3)]).toEqual([
      '0 B',
      '512 B',
      '2 kB',
      '8.0 GB',
      '64 GB',
    ])
    expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c', 'd', 'e'])]).toEqual([
      '',
      'a',
      'a and b',
      'a, b, c and 2 more',
    ])
    expect(words('MachineBecameHealthy')).toBe('Machine became healthy')
    expect(words('reevaluate-targets')).toBe('Reevaluate targets')
    expect(exactTime('not a time')).toBe('–')
  })

  it('makes ids of names', () => {
    expect(slugOf('  Prodüction EU (west) ')).toBe('production-eu-west')
    expect(slugOf('***')).toBe('')
    expect(slugOf('x'.repeat(80))).toHaveLength(63)
  })
})
