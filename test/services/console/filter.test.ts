import { describe, expect, it } from 'vitest'
import { comparing, matches, tally } from '../../../services/console/app/filter.ts'
import { machineRow } from '#test/support/consoleRows.ts'

const any = { q: '', role: '', status: '', environment: '' }
const web2 = machineRow('web-2', 'production', ['web'])
const web10 = machineRow('web-10', 'production', ['web'], { status: 'unavailable' })
const db = machineRow('db-1', 'staging', ['db'], { enabled: false })
const all = [web10, db, web2]
const names = (filter: Partial<typeof any>) =>
  all.filter((machine) => matches(machine, { ...any, ...filter })).map(({ name }) => name)

describe('finding machines', () => {
  it('by words that all have to be there, in names, roles, releases, facts and attributes', () => {
    expect(names({ q: 'WEB' })).toEqual(['web-10', 'web-2'])
    expect(names({ q: 'web unavailable' })).toEqual(['web-10'])
    expect(names({ q: 'shop 1.4.2' })).toEqual(['web-10', 'web-2'])
    expect(names({ q: 'db-1.internal' })).toEqual(['db-1'])
    expect(names({ q: 'eu-central-1a' })).toHaveLength(3)
    expect(names({ q: 'nowhere' })).toEqual([])
  })
  it('by role, environment and status, where a disabled one is nothing else', () => {
    expect(names({ role: 'db', environment: 'staging' })).toEqual(['db-1'])
    expect(names({ status: 'healthy' })).toEqual(['web-2'])
    expect(names({ status: 'disabled' })).toEqual(['db-1'])
  })
  it('by a removal that is held back', () => {
    const held = machineRow('held', 'production', [], {
      withheld: { share: 0.4, thresholdShare: 0.2, clearsWhen: 'later' },
    })
    expect(matches(held, { ...any, status: 'withheld' })).toBe(true)
    expect(matches(web2, { ...any, status: 'withheld' })).toBe(false)
  })
})

describe('the order of machines', () => {
  const sorted = (key: 'name' | 'status') => [...all].sort(comparing(key)).map(({ name }) => name)
  it('counts as people do', () => expect(sorted('name')).toEqual(['db-1', 'web-2', 'web-10']))
  it('puts the worst first', () => expect(sorted('status')).toEqual(['web-10', 'db-1', 'web-2']))
  it('has a tally without empty places', () => {
    expect(tally(all)).toEqual([
      { status: 'healthy', many: 1 },
      { status: 'unavailable', many: 1 },
      { status: 'disabled', many: 1 },
    ])
  })
})
