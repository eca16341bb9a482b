import { describe, expect, it } from 'vitest'
import { CreateDeploymentBody } from '#contracts/api.ts'
import * as contract from '#contracts/deploymentOptions.ts'
import { guessedFrom } from '../../../services/console/app/archiveName.ts'
import {
  bodyOf,
  mistakeOf,
  nothingChosen,
  priorityDefault,
  priorityMax,
} from '../../../services/console/app/deployOptions.ts'
import { holdAdvice, holdLine, holdTitle } from '../../../services/console/app/holds.ts'

const where = { projectId: 'shop', version: '1', environmentId: 'production' }

describe('what is chosen for a deployment', () => {
  it('says nothing of what is as usual', () => expect(bodyOf(nothingChosen)).toEqual({}))
  it('counts priorities as the contract does', () => {
    expect([priorityDefault, priorityMax]).toEqual([contract.priorityDefault, contract.priorityMax])
  })
  it('is what the API takes', () => {
    const all = {
      ...{ machines: ['m-1'], priority: 9, startAt: '2026-12-01T22:00' },
      ...{ ignoresFreeze: true, freezeReason: ' the fix ', allowNoTargets: true },
    }
    const body = CreateDeploymentBody.parse({ ...where, ...bodyOf(all) })
    expect(body).toMatchObject({ machines: ['m-1'], priority: 9, ignoreFreeze: { reason: 'the fix' } })
    expect(body.startAt).toMatch(/^2026-1[12]-\d\dT\d\d:00:00\.000Z$/)
    expect(mistakeOf(all)).toBeNull()
  })
  it.each([
    ['no machine', { machines: [] }, 'at least one machine'],
    ['no time', { startAt: 'soon' }, 'no time'],
    ['no reason to ignore a freeze', { ignoresFreeze: true, freezeReason: ' ' }, 'Say why'],
  ])('names its mistake: %s', (_, chosen, words) => expect(mistakeOf({ ...nothingChosen, ...chosen })).toContain(words))
})

describe('why a deployment waits', () => {
  it('has a title and something to do about it, whatever it is', () => {
    for (const reason of contract.HoldReason.options) {
      const waiting = { reason, detail: 'because', until: null, position: 2 }
      expect(holdTitle(waiting)).toMatch(/, at place 2 of the queue$/)
      expect(holdAdvice(waiting)).not.toBe('')
      expect(holdLine({ ...waiting, position: null })).toMatch(/: because$/)
    }
  })
})

describe('the name of an archive', () => {
  it.each([
    ['shop-1.4.2.tar.gz', 'shop', '1.4.2'],
    ['my-shop_v2.0.0-rc.1.zip', 'my-shop', '2.0.0-rc.1'],
    ['Shop Web.tgz', 'shop-web', ''],
    ['7.tar', '7', ''],
  ])('%s is that of %s, version "%s"', (file, name, version) => expect(guessedFrom(file)).toEqual({ name, version }))
})
