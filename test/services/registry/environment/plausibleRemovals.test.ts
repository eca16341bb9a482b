import { describe, expect, it } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { impossibleBecause } from '#services/registry/environment/plausible.ts'

const because = (settings: object) => impossibleBecause(EnvironmentPolicy.parse(settings))
const removals = (dynamicRegistration: object) => because({ dynamicRegistration })
const night = { cron: '0 22 * * 1-5', forMs: '10h', timeZone: 'Europe/Berlin' }

describe('settings of removals', () => {
  it.each([
    ['startUpGraceMs must not be longer than 7 d', { startUpGraceMs: '8d' }],
    ['names database twice', { protectedLabels: ['database', 'pet=yes', 'database'] }],
    ['no machine can have the role Database', { protectedLabels: ['Database'] }],
    ['61 22 * * * is no cron rule', { quietHours: [{ ...night, cron: '61 22 * * *' }] }],
    ['a b c d e is no cron rule', { quietHours: [night, { ...night, cron: 'a b c d e' }] }],
    ['names no moment that ever comes', { quietHours: [{ ...night, cron: '0 0 30 2 *' }] }],
    ['there is no time zone Mars/Olympus', { quietHours: [{ ...night, timeZone: 'Mars/Olympus' }] }],
    ['leave no time for removals', { quietHours: [{ cron: '* * * * *', forMs: '1m' }] }],
    ['leave no time for removals', { quietHours: [{ cron: '0 0 * * *', forMs: '1d' }] }],
    [
      'leave no time for removals',
      {
        quietHours: [
          { cron: '0 0 * * *', forMs: '12h' },
          { cron: '0 12 * * *', forMs: '12h' },
        ],
      },
    ],
  ])('could never work: %s', (sentence, settings) => expect(removals(settings)).toContain(sentence))

  it.each([
    ['a night in Berlin', { quietHours: [night] }],
    ['all but one month', { quietHours: [{ cron: '0 0 * 1-11 *', forMs: '1d' }] }],
    ['all but one minute of a day', { quietHours: [{ cron: '1 0 * * *', forMs: '1439m' }] }],
    ['labels of both kinds', { protectedLabels: ['database', 'pet=yes', 'pet=', 'Owner=Ann Other'] }],
    ['no grace at all', { startUpGraceMs: 0 }],
    ['a grace of a week', { startUpGraceMs: '7d' }],
  ])('may be %s', (_, settings) => expect(removals(settings)).toBeNull())

  it('are told after what is wrong with all else', () =>
    expect(because({ guard: { share: 0 }, dynamicRegistration: { startUpGraceMs: '8d' } })).toContain('guard.share'))
  it('leave a probe time to end before the next one', () =>
    expect(because({ health: { probeEveryMs: '10s', probeTimeoutMs: '10s' } })).toContain('health.probeEveryMs'))
})
