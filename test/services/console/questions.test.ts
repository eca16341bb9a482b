import { describe, expect, it } from 'vitest'
import { attributesOf, valuesOf } from '../../../services/console/app/questions/domains.ts'
import { proposalOf, proposedPolicy } from '../../../services/console/app/questions/proposal.ts'
import { countsOf, endingWords, removedWords, shiftWords } from '../../../services/console/app/questions/words.ts'
import { PolicySettings } from '#contracts/policySettings.ts'
import { backtestReply } from '#test/support/consoleRemovals.ts'
import { environmentRow, minuteMs } from '#test/support/consoleRows.ts'

const { policy } = environmentRow('production', 'Production')

describe('a policy to try', () => {
  it('is the one that holds until a field is changed', () => {
    expect(proposalOf(policy)).toEqual({ removeAfterMinutes: 10, guardPercent: 20 })
    expect(proposedPolicy(policy, proposalOf(policy))).toBeNull()
  })
  it('is a whole policy that the API takes', () => {
    const tried = PolicySettings.parse(proposedPolicy(policy, { removeAfterMinutes: 2.5, guardPercent: 35 }))
    expect([tried.dynamicRegistration.removeAfterMs, tried.guard.share]).toEqual([150_000, 0.35])
    expect(tried.health).toEqual(policy.health)
  })
})

describe('the machines that may fail', () => {
  const machines = [{ zone: 'b', rack: '1' }, { zone: 'a' }, { zone: 'b' }].map((attributes) => ({ attributes }))
  it('are found by the attributes that are there, that of the guard first', () => {
    expect(attributesOf(machines, 'zone')).toEqual(['zone', 'rack'])
    expect(attributesOf(machines, null)).toEqual(['rack', 'zone'])
    expect(valuesOf(machines, 'zone')).toEqual([
      { value: 'a', many: 1 },
      { value: 'b', many: 2 },
    ])
  })
})

describe('what a backtest says', () => {
  it('is counted side by side', () => {
    expect(countsOf(backtestReply())[0]).toEqual(['Removed', 1, 3])
  })
  it('is told in words', () => {
    expect([shiftWords(0), shiftWords(5 * minuteMs), shiftWords(-5 * minuteMs)]).toEqual([
      'at the same time',
      '5 min later',
      '5 min earlier',
    ])
    const [removed] = backtestReply().proposed.removed.items
    expect(removedWords(removed!)).toBe('silent for too long, observed 11 min; it came back 5 min later')
    expect(endingWords({ until: null, how: null })).toBe('still so at the end')
    expect(endingWords({ until: 0, how: 'recovery' })).toMatch(/^until .*, it answered$/)
  })
})
