import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSshKey } from '#services/health/probing/key.ts'
import { findServer } from '#test/support/servers.ts'
import { readServerConfig } from '../../../../services/config.ts'

const keygen = await findServer('ssh-keygen', 'openssh-client')

describe.skipIf(keygen === null)('the key for looks by ssh', () => {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-keys-'))
  const file = (name: string) => join(folder, name)
  const make = (name: string, passphrase = '', type = 'ed25519') =>
    execFileSync(keygen!, ['-q', '-t', type, '-N', passphrase, '-f', file(name)])
  beforeAll(() => {
    make('good')
    make('rsa', '', 'rsa')
    make('locked', 'swordfish')
    make('open')
    chmodSync(file('open'), 0o640)
    chmodSync(file('good.pub'), 0o600)
    writeFileSync(file('nonsense'), 'swordfish', { mode: 0o600 })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it.each(['good', 'rsa'])('is read from its file: %s', async (name) =>
    expect(await readSshKey(file(name))).toBe(readFileSync(file(name), 'utf8')),
  )
  it.each([
    ['absent', /cannot be read \(ENOENT\)/],
    ['open', /can be read by others/],
    ['locked', /no private key that can be used/],
    ['nonsense', /no private key that can be used/],
    ['good.pub', /is a public key/],
  ])('is a mistake of the configuration, which says how to put it right: %s', async (name, wrong) => {
    const mistake = await readSshKey(file(name)).catch((error: Error) => error)
    expect(mistake).toMatchObject({ name: 'ConfigMistakes', message: expect.stringMatching(wrong) })
    expect((mistake as Error).message).toContain('REMUDA_PROBE_SSH_KEY_FILE')
    expect((mistake as Error).message).toContain('chmod 600')
    expect((mistake as Error).message).not.toContain('swordfish')
  })
})

describe('the settings of looks', () => {
  const read = (env: Record<string, string>) => readServerConfig({ env, argv: [] })
  it('allow nothing and look at 32 machines at once unless they say otherwise', () => {
    expect(read({})).toMatchObject({ probeAllow: [], probesAtOnceMax: 32 })
    expect(
      read({ REMUDA_PROBE_ALLOW: 'loopback, 169.254.7.0/24,fe80::1', REMUDA_PROBES_AT_ONCE_MAX: '5' }),
    ).toMatchObject({
      ...{ probeAllow: ['loopback', '169.254.7.0/24', 'fe80::1'], probesAtOnceMax: 5 },
    })
  })
  it.each([
    [{ REMUDA_PROBE_ALLOW: 'localhost' }, /REMUDA_PROBE_ALLOW: "localhost" is not accepted/],
    [{ REMUDA_PROBE_ALLOW: 'loopback,10.0.0.0/64' }, /REMUDA_PROBE_ALLOW/],
    [{ REMUDA_PROBES_AT_ONCE_MAX: '0' }, /REMUDA_PROBES_AT_ONCE_MAX/],
  ])('are refused when they are mistaken: %s', (env, message) => expect(() => read(env)).toThrow(message))
})
