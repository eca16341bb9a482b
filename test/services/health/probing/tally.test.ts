import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckLevel, HealthStatus } from '#contracts/health.ts'
import { unseen, type Verdict } from '#services/health/probing/classify.ts'
import { corrected, count, forgiven, tallyOf, type Change, type Tally } from '#services/health/probing/tally.ts'

const thresholds = { failuresToGoDown: 3, passesToComeBack: 2 }
const answers = (level: CheckLevel): Verdict => ({ reach: 'answers', finding: 'answered', level, detail: '' })
const looks: Readonly<Record<string, Verdict>> = {
  '+': answers('ok'),
  w: answers('warning'),
  f: answers('failure'),
  '-': { reach: 'silent', finding: 'refused', level: 'failure', detail: '' },
  '?': unseen('busy'),
  m: { reach: 'unseen', finding: 'check-failed', level: 'failure', detail: '' },
}

/** Counts looks, a character each; `|` is a break after which fresh evidence is needed. */
function counting(status: HealthStatus, story: string) {
  let tally: Tally = tallyOf(status)
  const said: string[] = []
  for (const look of story) {
    if (look === '|') tally = forgiven(tally)
    else {
      const [now, changes] = count(tally, looks[look]!, thresholds)
      tally = now
      said.push(...changes.map(words))
    }
  }
  return { tally, said }
}
const words = (change: Change) =>
  change.type === 'check' ? `check ${change.level} ${change.times}` : `${change.type} ${change.times}`

describe('a row of looks', () => {
  it.each<[HealthStatus, string, string[], HealthStatus]>([
    // What answers and falls silent.
    ['healthy', '--', [], 'healthy'],
    ['healthy', '---', ['silent 3'], 'unavailable'],
    ['healthy', '------', ['silent 3'], 'unavailable'],
    ['healthy', '--+--', [], 'healthy'],
    ['healthy', '--f--', [], 'healthy'],
    ['healthy', '--?-', ['silent 3'], 'unavailable'],
    ['healthy', '--m--', [], 'healthy'],
    ['healthy', '--|--', [], 'healthy'],
    ['healthy', '--|---', ['silent 3'], 'unavailable'],
    ['unknown', '---', ['silent 3'], 'unavailable'],
    ['unhealthy', '---', ['silent 3'], 'unavailable'],
    // What comes back.
    ['unavailable', '+', [], 'unavailable'],
    ['unavailable', '++', ['check ok 2', 'heard 2'], 'healthy'],
    ['unavailable', '+-+', [], 'unavailable'],
    ['unavailable', '+m+', [], 'unavailable'],
    ['unavailable', '+?+', ['check ok 2', 'heard 2'], 'healthy'],
    ['unavailable', '+f', ['check failure 2', 'heard 2'], 'unhealthy'],
    ['unavailable', 'ww', ['check warning 2', 'heard 2'], 'degraded'],
    ['unavailable', '++---', ['check ok 2', 'heard 2', 'silent 3'], 'unavailable'],
    // Of what nothing is known.
    ['unknown', '+', ['check ok 1', 'heard 1'], 'healthy'],
    ['unknown', 'ff', [], 'unknown'],
    ['unknown', 'fff', ['check failure 3', 'heard 3'], 'unhealthy'],
    ['unknown', 'f+', ['check ok 2', 'heard 2'], 'healthy'],
    ['unknown', '?????', [], 'unknown'],
    // What answers, and how.
    ['healthy', 'ff', [], 'healthy'],
    ['healthy', 'fff', ['check failure 3'], 'unhealthy'],
    ['healthy', 'ff+ff', [], 'healthy'],
    ['healthy', 'ff|ff', [], 'healthy'],
    ['healthy', 'www', ['check warning 3'], 'degraded'],
    ['healthy', 'wwf', ['check failure 3'], 'unhealthy'],
    ['degraded', 'wwww', [], 'degraded'],
    ['degraded', 'fff', ['check failure 3'], 'unhealthy'],
    ['unhealthy', '+', [], 'unhealthy'],
    ['unhealthy', '++', ['check ok 2'], 'healthy'],
    ['unhealthy', '+f+', [], 'unhealthy'],
    ['unhealthy', 'ww', ['check warning 2'], 'degraded'],
    ['healthy', 'f-f-f', ['check failure 3'], 'unhealthy'],
    // A mistake in the configuration is shown, and is no silence.
    ['unknown', 'mm', [], 'unknown'],
    ['unknown', 'mmm', ['check failure 3'], 'unknown'],
    ['unknown', 'mmmm+', ['check failure 3', 'check ok 1', 'heard 1'], 'healthy'],
    ['healthy', 'mmm', ['check failure 3'], 'unhealthy'],
  ])('%s and then %s', (status, story, said, end) => {
    const counted = counting(status, story)
    expect(counted.said).toEqual(said)
    expect(counted.tally.status).toBe(end)
  })

  it('goes on counting silence, of which a break leaves nothing', () => {
    expect(counting('healthy', '-----').tally.silences).toBe(5)
    expect(counting('healthy', '-----|').tally.silences).toBe(0)
    expect(counting('healthy', '-----|--').tally.silences).toBe(2)
  })
  it('is corrected by what has been recorded', () => {
    const { tally } = counting('healthy', '--')
    expect(corrected(tally, 'healthy')).toBe(tally)
    expect(corrected(tally, 'degraded')).toMatchObject({ status: 'degraded', level: 'warning', silences: 2 })
    expect(corrected(tally, 'unavailable')).toMatchObject({ status: 'unavailable', level: 'ok' })
  })
})

describe('whatever happens', () => {
  const stories = fc.string({ unit: fc.constantFrom('+', 'w', 'f', '-', '?', 'm', '|'), maxLength: 40 })
  const status = fc.constantFrom<HealthStatus>('unknown', 'healthy', 'degraded', 'unhealthy', 'unavailable')

  it('a machine only becomes unavailable after three silences, with no answer and no break between them', () =>
    fc.assert(
      fc.property(status, stories, (begin, story) => {
        const before = counting(begin, story)
        const after = counting(begin, `${story}-`)
        if (before.tally.status === 'unavailable' || after.tally.status !== 'unavailable') return
        expect(`${story}-`).toMatch(/-[?]*-[?]*-$/)
      }),
    ))
  it('three silences in a row make it unavailable, and two passes after that bring it back', () =>
    fc.assert(
      fc.property(status, stories, (begin, story) => {
        expect(counting(begin, `${story}---`).tally.status).toBe('unavailable')
        expect(counting(begin, `${story}---++`).tally.status).toBe('healthy')
      }),
    ))
  it('looks that say nothing change nothing', () =>
    fc.assert(
      fc.property(status, stories, (begin, story) => {
        expect(counting(begin, story.replaceAll('?', '')).tally).toEqual(counting(begin, story).tally)
      }),
    ))
})
