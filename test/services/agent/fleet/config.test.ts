import { describe, expect, it } from 'vitest'
import type { ConfigMistakes } from '#libs/config.ts'
import { readFleetConfig } from '#services/agent/fleet/config.ts'

const read = (...argv: string[]) => readFleetConfig({ env: {}, argv: ['--environment', 'staging', ...argv] })
const mistakes = (...argv: string[]) => {
  try {
    readFleetConfig({ env: {}, argv })
    return []
  } catch (error) {
    return (error as ConfigMistakes).mistakes.map(({ name }) => name)
  }
}

describe('the settings of a fleet', () => {
  it('take lengths of time alone or from and to, and shares as shares or percentages', () => {
    expect(read('--script-time', '1s').scriptTime).toEqual({ minMs: 1_000, maxMs: 1_000 })
    expect(read('--script-time', '100ms-2m').scriptTime).toEqual({ minMs: 100, maxMs: 120_000 })
    expect(read('--failure-rate', '5%').failureRate).toBe(0.05)
    expect(read('--failure-rate', '0.25').failureRate).toBe(0.25)
  })

  it('share attributes out', () => {
    expect(read('--attribute', 'zone=a|b,disk=ssd').attribute).toEqual([
      { key: 'zone', values: ['a', 'b'] },
      { key: 'disk', values: ['ssd'] },
    ])
  })

  it.each([
    ['--script-time', '2s-1s'],
    ['--script-time', '2h'],
    ['--script-time', 'soon'],
    ['--failure-rate', '101%'],
    ['--failure-rate', '-0.1'],
    ['--failure-rate', 'often'],
    ['--count', '0'],
    ['--count', '10001'],
    ['--join-rate', '0'],
    ['--attribute', 'zone'],
    ['--name', 'a b'],
    ['--server', 'ftp://here'],
    ['--output', 'xml'],
  ])('refuse %s %s', (flag, value) => expect(mistakes('--environment', 'staging', flag, value)).toEqual([flag]))

  it('say everything that is wrong at once, and that somewhere to join is needed', () => {
    expect(mistakes('--count', 'x', '--seed', 'y', '--bogus', 'z')).toEqual(['--bogus', '--count', '--seed'])
    expect(mistakes()).toEqual(['--environment'])
    expect(mistakes('--token', 'rmd_join_a_b')).toEqual([])
  })
})
