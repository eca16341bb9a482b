import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigMistakes } from '#libs/config.ts'
import { openProvider } from '#services/policy/provider/open.ts'
import { readServerConfig } from '#services/config.ts'
import { collectingLog } from '#test/support/collectingLog.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-providers-'))
  path = join(folder, 'providers.yaml')
  writeFileSync(join(folder, 'token'), 'hunter2')
})
afterEach(() => rmSync(folder, { recursive: true }))

const read = (list: unknown, argv: readonly string[] = []) => {
  writeFileSync(path, typeof list === 'string' ? list : JSON.stringify(list))
  return readServerConfig({ env: { REMUDA_PROVIDERS_FILE: path }, argv }).providersFile
}
const mistakesOf = (list: unknown, argv?: readonly string[]): readonly string[] => {
  try {
    read(list, argv)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error.mistakes.map(({ name, wrong }) => `${name} ${wrong}`)
    throw error
  }
  return []
}
const http = (part: object = {}) => ({ name: 'cloud', kind: 'http', url: 'https://10.0.0.7/machines', ...part })
const usual = { everyMs: 30_000, timeoutMs: 10_000, silentAfter: 3, absentMeans: 'unknown', bytesMax: 16_000_000 }

describe('the file of providers', () => {
  it('need not be there', () => expect(readServerConfig({ env: {}, argv: [] }).providersFile).toBeUndefined())
  it('is YAML or JSON, with the usual pace where none is set', () => {
    const rack = { name: 'rack', kind: 'file', path: '/srv/machines.json' }
    expect(read([rack, http()])).toEqual([
      { ...usual, ...rack },
      { ...usual, ...http() },
    ])
    expect(read('- name: rack\n  kind: file\n  path: /srv/machines.json\n  everyMs: 1m\n')).toEqual([
      { ...usual, ...rack, everyMs: 60_000 },
    ])
    expect(read([])).toEqual([])
  })
  it('is told of every mistake at once, beside those of other settings', () => {
    const list = [
      { name: 'a b', kind: 'file' },
      { name: 'x', kind: 'cloud' },
      http({ everyMs: '1ms', silentAfter: 0, absentMeans: 'gone', tokn: 'x' }),
    ]
    const mistakes = mistakesOf(list, ['--port', 'none'])
    expect(mistakes.map((one) => /provider \d(, \w+)?|--port/.exec(one)?.[0])).toEqual(
      expect.arrayContaining([
        ...['--port', 'provider 1, name', 'provider 1, path', 'provider 2, kind', 'provider 3, everyMs'],
        ...['provider 3, silentAfter', 'provider 3, absentMeans', 'provider 3'],
      ]),
    )
    expect(mistakes.join()).toContain('"tokn"')
  })
  it.each([
    ['two of one name', [http(), http()], 'provider 2, name: another provider has this name'],
    ['a password in the address', [http({ url: 'https://me:hunter2@x/' })], 'provider 1, url: it holds a password'],
    ['a token in the address', [http({ url: 'https://x/?accessToken=hunter2' })], 'looks like a secret'],
    ['a key in the address', [http({ url: 'https://x/?api_key=hunter2' })], 'looks like a secret'],
    ['another address', [http({ url: 'file:///etc/hunter2' })], 'provider 1, url: not an http or https address'],
    ['no address', [http({ url: 'hunter2' })], 'provider 1, url: not an http or https address'],
    [
      'a token that is not there',
      [http({ tokenFile: '/nowhere' })],
      'provider 1, tokenFile: it cannot be read (ENOENT)',
    ],
    ['no list', { providers: [] }, 'the list of providers: '],
    ['too many', Array.from({ length: 21 }, (_, n) => http({ name: `n-${n}` })), 'more than 20 providers'],
    ['no YAML', '- a: [', 'it is neither YAML nor JSON'],
    ['much else', ' '.repeat(100_001), 'it has more than 100000 bytes'],
  ])('does not take %s', (_, list, words) => {
    const mistakes = mistakesOf(list).join()
    expect(mistakes).toContain(words)
    expect(mistakes).not.toContain('hunter2')
  })
  it('may name parameters of an address that are no secrets', () =>
    expect(read([http({ url: 'http://x/?zone=north&monkey=1' })])).toHaveLength(1))
  it('has to be there when it is set', () => {
    const missing = { env: { REMUDA_PROVIDERS_FILE: join(folder, 'none') }, argv: [] }
    expect(() => readServerConfig(missing)).toThrow('it cannot be read (ENOENT)')
  })
})

describe('a provider is opened', () => {
  const warned = (part: object) => {
    const log = collectingLog()
    const [settings] = read([http(part)]) ?? []
    const { provider, pace } = openProvider(settings!, log)
    expect([provider.name, provider.kind, pace.silentAfter]).toEqual(['cloud', 'http', 3])
    return log.linesOf('warn').length
  }
  it.each([
    ['that gets a token unencrypted', { url: 'http://10.0.0.7/' }, 1],
    ['that gets one encrypted', {}, 0],
    ['on this machine', { url: 'http://127.0.0.1:8080/' }, 0],
  ])('with a warning if it is one %s', (_, part, warnings) =>
    expect(warned({ ...part, tokenFile: join(folder, 'token') })).toBe(warnings),
  )
  it('without one if there is no token', () => expect(warned({ url: 'http://10.0.0.7/' })).toBe(0))
})
