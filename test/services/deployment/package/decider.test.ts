import { describe, expect, it } from 'vitest'
import { packageVersionsMax, type PackageCommand, type PackageEvent } from '#contracts/package.ts'
import { replay } from '#libs/decider.ts'
import { packages } from '#services/deployment/package/decider.ts'

const digest = (letter: string) => letter.repeat(64)
const name = 'shop'
const bytes = { sizeBytes: 3, mediaType: 'application/gzip' } as const
const add = (version: string, letter = 'a'): PackageCommand => ({
  type: 'AddPackage',
  data: { name, version, digest: digest(letter), ...bytes },
})
const remove = (version: string): PackageCommand => ({ type: 'RemovePackage', data: { name, version, reason: 'old' } })
const prune = (keepNewest: number): PackageCommand => ({
  type: 'PrunePackage',
  data: { name, keepNewest, reason: 'room' },
})
const uploaded = (version: string, letter = 'a'): PackageEvent => ({
  type: 'PackageUploaded',
  data: { name, version, digest: digest(letter), ...bytes },
})
const removed = (version: string, letter = 'a'): PackageEvent => ({
  type: 'PackageRemoved',
  data: { name, version, digest: digest(letter), reason: 'old' },
})

/** What a command is answered after what has happened: types of events with their versions, or the code. */
const asked = (given: readonly PackageEvent[], command: PackageCommand, ...referred: string[]) =>
  askedWith(null, given, command, ...referred)

function askedWith(
  keepNewest: number | null,
  given: readonly PackageEvent[],
  command: PackageCommand,
  ...referred: string[]
) {
  const decision = packages.decide({ ...command, referred: new Set(referred), keepNewest }, replay(packages, given))
  return 'refused' in decision ? decision.refused : decision.map(({ type, data }) => `${type} ${data.version}`)
}

describe('a package', () => {
  it.each([
    ['a first version', [], add('1'), ['PackageUploaded 1']],
    ['the same bytes again', [uploaded('1')], add('1'), []],
    ['other bytes under the same version', [uploaded('1')], add('1', 'b'), 'PACKAGE_EXISTS'],
    ['the same bytes under another version', [uploaded('1')], add('2'), ['PackageUploaded 2']],
    ['the bytes of a version that was given up', [uploaded('1'), removed('1')], add('1'), ['PackageUploaded 1']],
    [
      'other bytes than a version had that was given up',
      [uploaded('1'), removed('1')],
      add('1', 'b'),
      'PACKAGE_EXISTS',
    ],
  ])('takes, or does not take, %s', (_, given, command, answer) => expect(asked(given, command)).toEqual(answer))

  it.each([
    ['that is there', [uploaded('1')], [], ['PackageRemoved 1']],
    ['that was given up before', [uploaded('1'), removed('1')], [], []],
    ['that never was', [uploaded('2')], [], 'PACKAGE_UNKNOWN'],
    ['that a release refers to', [uploaded('1')], ['1'], 'PACKAGE_IN_USE'],
  ])('gives up, or keeps, a version %s', (_, given, referred, answer) =>
    expect(asked(given, remove('1'), ...referred)).toEqual(answer),
  )

  it('gives up all but the newest and what is referred to', () => {
    const given = [uploaded('1'), uploaded('2', 'b'), uploaded('3', 'c'), removed('3', 'c'), uploaded('4', 'd')]
    expect(asked(given, prune(1))).toEqual(['PackageRemoved 1', 'PackageRemoved 2'])
    expect(asked(given, prune(1), '1')).toEqual(['PackageRemoved 2'])
    expect(asked([...given, uploaded('3', 'c')], prune(2))).toEqual(['PackageRemoved 1', 'PackageRemoved 2'])
    expect(asked([], prune(1))).toBe('PACKAGE_UNKNOWN')
  })

  describe('of which only so many are kept', () => {
    const two = [uploaded('1'), uploaded('2', 'b')]
    it.each([
      ['gives up the oldest when one more comes', two, add('3'), [], ['PackageUploaded 3', 'PackageRemoved 1']],
      ['keeps what releases refer to', two, add('3'), ['1'], ['PackageUploaded 3']],
      ['gives up nothing as long as it has room', [uploaded('1')], add('2'), ['1'], ['PackageUploaded 2']],
      ['gives up nothing when nothing comes', [...two, uploaded('3')], add('3'), [], []],
      [
        'counts what comes back as the newest',
        [...two, removed('1'), uploaded('3')],
        add('1'),
        [],
        ['PackageUploaded 1', 'PackageRemoved 2'],
      ],
    ])('%s', (_, given, command, referred, answer) => expect(askedWith(2, given, command, ...referred)).toEqual(answer))
  })

  it('has a limit of versions', () => {
    const given = Array.from({ length: packageVersionsMax }, (_, at) => uploaded(`v${at}`))
    expect(asked(given, add('more'))).toBe('PACKAGE_VERSIONS_TOO_MANY')
    expect(asked(given, add('v0'))).toEqual([])
  })
})
