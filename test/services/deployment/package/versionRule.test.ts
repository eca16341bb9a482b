import { describe, expect, it } from 'vitest'
import { versionMeant } from '#services/deployment/package/versionRule.ts'

describe('the version that a rule means', () => {
  const versions = ['1.4.0', '1.10.0', '2.0.0', '1.4.1']
  it.each([
    ['left out: the newest upload', undefined, '1.4.1'],
    ['latest', 'latest', '1.4.1'],
    ['one by name', '2.0.0', '2.0.0'],
    ['one that is not there', '3.0.0', null],
    ['the newest that begins so', '1.4.*', '1.4.1'],
    ['the newest that begins so, whatever was uploaded since', '2.*', '2.0.0'],
    ['none that begins so', '1.40.*', null],
    ['any', '*', '1.4.1'],
    ['that of the release', 'release', '1.10.0'],
  ])('%s', (_, rule, expected) => expect(versionMeant(rule, '1.10.0', versions)).toBe(expected))
  it('is none where none is kept', () => expect(versionMeant('latest', '1', [])).toBeNull())
})
