import { describe, expect, it } from 'vitest'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { impossibleBecause } from '#services/registry/environment/plausible.ts'

const disk = { name: 'disk', script: 'true', everyMs: '1m' }
const policyWith = (...checks: readonly object[]) => EnvironmentPolicy.parse({ health: { checks } })
const cron = (rule: string) => ({ name: 'disk', script: 'true', cron: rule })

describe('the checks of a policy', () => {
  it.each([
    ['none', []],
    ['one that is made every minute', [disk]],
    ['two with names of their own', [disk, { ...disk, name: 'load' }]],
    ['one by a cron rule', [cron('*/5 6-22 * * 1-5')]],
    ['one by a cron rule that comes once in four years', [cron('0 0 29 2 *')]],
    ['one whose tries just fit', [{ ...disk, everyMs: '10s', timeoutMs: 3_333, retries: 2 }]],
    ['one by cron, however long it may take', [{ ...cron('* * * * *'), timeoutMs: '1h', retries: 10 }]],
  ])('may be %s', (_, checks) => expect(impossibleBecause(policyWith(...checks))).toBeNull())

  it.each([
    ['health.checks[1] (disk) must have another name', [disk, disk]],
    ['health.checks[0] (heartbeat) must have another name', [{ ...disk, name: 'heartbeat' }]],
    ['either everyMs or cron', [{ name: 'disk', script: 'true' }]],
    ['either everyMs or cron', [{ ...disk, cron: '* * * * *' }]],
    ['names no time', [cron('61 * * * *')]],
    ['names no time', [cron('every other day at noon')]],
    ['names no time', [cron('0 0 30 2 *')]],
    ['names no time', [cron('? * * * *')]],
    ['shorter than its everyMs', [{ ...disk, everyMs: '30s' }]],
    ['shorter than its everyMs', [{ ...disk, everyMs: '10s', timeoutMs: '5s', retries: 1 }]],
  ])('cannot work: %s', (because, checks) => expect(impossibleBecause(policyWith(...checks))).toContain(because))
})
