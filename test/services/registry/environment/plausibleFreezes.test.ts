import { describe, expect, it } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { impossibleBecause } from '#services/registry/environment/plausible.ts'

const because = (freezes: readonly object[]) => impossibleBecause(EnvironmentPolicy.parse({ deployments: { freezes } }))
const weekend = { cron: '0 18 * * 5', forMs: '62h', timeZone: 'Europe/Berlin' }

describe('freezes of deployments', () => {
  it.each([
    ['61 22 * * * is no cron rule', [{ ...weekend, cron: '61 22 * * *' }]],
    ['names no moment that ever comes', [weekend, { ...weekend, cron: '0 0 30 2 *' }]],
    ['there is no time zone Mars/Olympus', [{ ...weekend, timeZone: 'Mars/Olympus' }]],
    ['leave no time in which a deployment could start', [{ cron: '* * * * *', forMs: '1m' }]],
  ])('could never work: %s', (sentence, freezes) => {
    expect(because(freezes)).toMatch(/^deployments\.freezes/)
    expect(because(freezes)).toContain(sentence)
  })
  it('may be weekends, or none', () => expect([because([weekend]), because([])]).toEqual([null, null]))
})
