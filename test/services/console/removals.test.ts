import { describe, expect, it } from 'vitest'
import { fieldOf, instantOf, pastWords } from '../../../services/console/app/asOf.ts'
import { standingOf } from '../../../services/console/app/filter.ts'
import { clearsWords, heldBy, howBad, whereWords } from '../../../services/console/app/fleet/incident.ts'
import { clauseName, removalAnswer } from '../../../services/console/app/sentences/clauses.ts'
import {
  contactWords,
  deferralTitle,
  gapWords,
  silenceWords,
} from '../../../services/console/app/sentences/standing.ts'
import { incidentRow, removalNow } from '#test/support/consoleRemovals.ts'
import { machineRow, minuteMs } from '#test/support/consoleRows.ts'

const withheld = { share: 0.4, thresholdShare: 0.2, clearsWhen: 'when fewer than 20 % are unavailable' }
const deferred = { clause: 'running-at-provider' as const, detail: 'aws says that it is running', at: '' }

describe('how a machine stands', () => {
  const standing = (more: Parameters<typeof machineRow>[3]) => standingOf(machineRow('a', 'production', [], more))
  it('is quarantine before anything else, then disabled, then lost', () => {
    const quarantined = { at: '', detail: 'two use its key' }
    expect(standing({ quarantined, enabled: false })).toBe('quarantined')
    expect(standing({ enabled: false, status: 'unavailable', deferred })).toBe('disabled')
    expect(standing({ status: 'unavailable', deferred })).toBe('lost')
    expect(standing({ status: 'unavailable', deferred: { ...deferred, clause: 'protected' } })).toBe('unavailable')
  })
  it('is told with both times of its silence', () => {
    expect(silenceWords({ goneMs: 130 * minuteMs, observedMs: 41 * minuteMs })).toBe('gone 2 h 10 min, observed 41 min')
  })
  it('says how it is looked after', () => {
    const by = (probe: Parameters<typeof contactWords>[0]['probe']) => contactWords({ transport: 'tcp', probe })
    expect(contactWords({ transport: 'agent', probe: null })).toBe('Agent')
    expect(by({ kind: 'tcp', host: 'db', port: 5432 })).toBe('TCP probe of db:5432')
    expect(by({ kind: 'http', url: 'http://db/health' })).toBe('HTTP probe of http://db/health')
    expect(by({ kind: 'ssh', host: 'db', port: 22, user: 'ops' })).toBe('SSH probe of ops@db')
    expect(by(null)).toContain('None')
  })
  it('says in a word why its removal waits, and why nobody observes', () => {
    expect(deferralTitle({ clause: 'running-at-provider' })).toBe('Lost')
    expect(gapWords({ reason: 'deaf' })).toBe('no gateway can be heard')
  })
})

describe('whether a machine would be removed now', () => {
  it('is answered with the first condition that does not hold', () => {
    expect(removalAnswer(removalNow())).toBe('No: quiet hours last for another 1h, and 1 more condition does not hold.')
    expect(removalAnswer({ removable: true, clauses: [] })).toBe('Yes, all conditions hold.')
  })
  it('names clauses in words, also those that came later', () => {
    expect([clauseName({ clause: 'guard' }), clauseName({ clause: 'full-moon' })]).toEqual([
      'No mass failure',
      'Full moon',
    ])
  })
})

describe('a mass failure', () => {
  const zone = { attribute: 'zone', value: 'eu-central-1a' }
  const held = machineRow('a', 'production', [], { withheld })
  const other = machineRow('b', 'production', [], { withheld, attributes: { zone: 'eu-central-1b' } })
  it('is told by where, how many and what ends it', () => {
    expect(whereWords({ domain: zone })).toBe('zone eu-central-1a')
    expect(howBad(incidentRow(['a']))).toMatch(/^8 of 22 machines \(36.%\) stopped answering together.* 20.%\.$/)
    expect(clearsWords(incidentRow(['a']), [held])).toBe('It clears when fewer than 20 % are unavailable.')
    expect(clearsWords(incidentRow([]), [])).toMatch(/fewer than 20.% of them/)
  })
  it('holds the machines that it names, and where it does not name all, those of its domain', () => {
    const names = (incident: ReturnType<typeof incidentRow>) => heldBy(incident, [held, other]).map(({ id }) => id)
    expect(names(incidentRow(['b']))).toEqual(['b'])
    expect(names(incidentRow([], { domain: zone, held: { count: 9, machineIds: [] } }))).toEqual(['a'])
    expect(heldBy(incidentRow(['a']), [machineRow('a', 'production', [])])).toEqual([])
  })
})

describe('a moment of the past', () => {
  it('goes through the field for it and back', () => {
    const instant = '2026-11-01T10:05:00.000Z'
    expect(instantOf(fieldOf(instant))).toBe(instant)
    expect([fieldOf('position:41'), instantOf('')]).toEqual(['', ''])
  })
  it('is told as a time or as a place in the log', () => {
    expect([pastWords('position:41'), pastWords('41')]).toEqual(Array(2).fill('position 41 of the log'))
    expect(pastWords('nonsense')).toBe('nonsense')
    expect(pastWords('2026-11-01T10:05:00Z')).toContain('2026')
  })
})
