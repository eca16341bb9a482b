import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retain } from '#services/deployment/package/retention.ts'

const none = () => false

describe('which versions of a package stay', () => {
  it.each([
    [['1', '2', '3'], 1, [], ['3']],
    [['1', '2', '3'], 2, [], ['2', '3']],
    [['1', '2', '3'], 0, [], []],
    [['1', '2', '3'], 1, ['1'], ['1', '3']],
    [['1', '2', '3'], 9, [], ['1', '2', '3']],
    [[], 3, ['1'], []],
  ])('%j with the %i newest kept and %j referred to: %j', (versions, keepNewest, referred, kept) => {
    const isReferred = (version: string) => referred.includes(version)
    const verdicts = retain(versions, { keepNewest, isReferred })
    expect(verdicts.filter(({ keep }) => keep).map(({ version }) => version)).toEqual(kept)
  })

  it('is said with the reason', () => {
    const verdicts = retain(['1', '2', '3'], { keepNewest: 1, isReferred: (version) => version === '1' })
    expect(verdicts.map(({ reason }) => reason)).toEqual([
      'a release refers to it',
      'no release refers to it, and 1 versions are newer',
      'it is one of the 1 newest',
    ])
  })

  it('never gives up what is referred to or is new, and gives up all else', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }),
        fc.nat(25),
        fc.func(fc.boolean()),
        (versions, keepNewest, isReferred) => {
          const verdicts = retain(versions, { keepNewest, isReferred })
          expect(verdicts.map(({ version }) => version)).toEqual(versions)
          const newest = new Set(keepNewest === 0 ? [] : versions.slice(-keepNewest))
          for (const { version, keep } of verdicts) expect(keep).toBe(newest.has(version) || isReferred(version))
        },
      ),
    )
  })

  it('gives up nothing twice', () => {
    const first = retain(['1', '2', '3'], { keepNewest: 2, isReferred: none }).filter(({ keep }) => keep)
    const again = retain(
      first.map(({ version }) => version),
      { keepNewest: 2, isReferred: none },
    )
    expect(again.every(({ keep }) => keep)).toBe(true)
  })
})
