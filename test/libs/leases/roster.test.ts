import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyRoster, heldBy, shareOf, signed, withoutMember, type Roster } from '#libs/leases/roster.ts'

const roster = (holders: Record<number, string>, ...members: readonly string[]): Roster => ({
  holders,
  members: Object.fromEntries(members.map((member) => [member, 1])),
})
const alive = (...members: readonly string[]) => new Set(members)
const none = { take: [], giveUp: [] }

describe('the share of a process', () => {
  it.each([
    ['is everything when it is alone', emptyRoster, 4, ['a'], { take: [0, 1, 2, 3], giveUp: [] }],
    ['is the one partition that there is', emptyRoster, 1, ['a'], { take: [0], giveUp: [] }],
    ['is nothing while another one has the only partition', roster({ 0: 'b' }, 'b'), 1, ['a', 'b'], none],
    ['is what a process had that is gone', roster({ 0: 'b' }, 'b'), 1, ['a'], { take: [0], giveUp: [] }],
    ['is half of what is free', emptyRoster, 4, ['a', 'b'], { take: [0, 1], giveUp: [] }],
    [
      'shrinks when another one has too little',
      roster({ 0: 'a', 1: 'a', 2: 'a', 3: 'a' }),
      4,
      ['a', 'b'],
      { take: [], giveUp: [2, 3] },
    ],
    ['stays as it is when it is even', roster({ 0: 'a', 1: 'b' }), 2, ['a', 'b'], none],
    ['stays as it is when one partition cannot be shared', roster({ 0: 'a', 1: 'a', 2: 'b' }), 3, ['a', 'b'], none],
    ['takes no more than is fair while another one still has to come', roster({ 0: 'a' }), 3, ['a', 'b'], none],
  ])('%s', (_, given, partitions, living, share) => {
    expect(shareOf(given, partitions, 'a', alive(...living))).toEqual(share)
  })
})

describe('a roster', () => {
  it('counts signs of life, and strikes off who is gone with all that it held', () => {
    const before = roster({ 0: 'b', 1: 'c' }, 'a', 'b', 'c')
    const after = signed(before, 'a', [2], new Set(['b']))
    expect(after).toEqual({ members: { a: 2, c: 1 }, holders: { 1: 'c', 2: 'a' } })
  })
  it('forgets who leaves', () =>
    expect(withoutMember(roster({ 0: 'a', 1: 'b' }, 'a', 'b'), 'a')).toEqual(roster({ 1: 'b' }, 'b')))
})

/** One look of one process, as `Member` does it. */
function look(before: Roster, partitions: number, self: string, living: ReadonlySet<string>): Roster {
  const gone = new Set(Object.keys(before.members).filter((member) => !living.has(member)))
  const held = heldBy(before, partitions, self)
  const { take, giveUp } = shareOf(signed(before, self, held, gone), partitions, self, living)
  return signed(before, self, [...held.filter((one) => !giveUp.includes(one)), ...take], gone)
}

describe('processes that come, go and look in any order', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const step = fc.record({ who: fc.constantFrom(...names), comes: fc.boolean() })

  it('end up with even shares of all the work, which then stay where they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.array(step, { maxLength: 40 }), (partitions, steps) => {
        let now = emptyRoster
        const living = new Set(['a'])
        for (const { who, comes } of steps) {
          if (comes) living.add(who)
          else if (living.size > 1) living.delete(who)
          if (living.has(who)) now = look(now, partitions, who, living)
        }
        for (let round = 0; round < 3 * partitions + 3; round++)
          for (const member of living) now = look(now, partitions, member, living)

        const counts = [...living].map((member) => heldBy(now, partitions, member).length)
        expect(counts.reduce((sum, count) => sum + count)).toBe(partitions)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        const { holders } = now
        for (const member of living) now = look(now, partitions, member, living)
        expect(now.holders).toEqual(holders)
      }),
    )
  })
})
