import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock as clock } from '#libs/systemClock.ts'
import { openVault, vaultPaths } from '#libs/vault/open.ts'
import { rotateMasterKey } from '#libs/vault/rotate.ts'

const owner = { projectId: 'shop', name: 'DB_PASSWORD', scope: '{}' }

async function begin() {
  const data = mkdtempSync(join(tmpdir(), 'remuda-vault-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  return { data, paths: vaultPaths(data, {}), vault: await openVault(data, {}, clock) }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))

describe('a vault', () => {
  it('gives back what was put into it, each version by itself', async () => {
    const { vault } = await begin()
    const one = await vault.put(owner, 'first')
    const two = await vault.put(owner, 'zweite ✓')
    expect([one.version, two.version, one.secretId === two.secretId]).toEqual([1, 2, true])
    expect(await vault.read(owner, one)).toEqual({ value: 'first' })
    expect(await vault.read(owner, two)).toEqual({ value: 'zweite ✓' })
  })

  it('holds nothing that could be read without its key, and lets nobody else look', async () => {
    const { data, paths, vault } = await begin()
    await vault.put(owner, 'not-for-anyones-eyes')
    for (const file of filesIn(data)) {
      expect(readFileSync(file, 'utf8')).not.toContain('not-for')
      expect(statSync(file).mode & 0o777, file).toBe(0o600)
    }
    expect(statSync(paths.folder).mode & 0o777).toBe(0o700)
  })

  it.each([
    ['another project', { ...owner, projectId: 'other' }],
    ['another name', { ...owner, name: 'OTHER' }],
    ['another scope', { ...owner, scope: '{"environments":["dev"]}' }],
  ])('does not give a value to %s, wherever its file is put', async (_, other) => {
    const { paths, vault } = await begin()
    const mine = await vault.put(owner, 'value')
    const theirs = await vault.put(other, 'theirs')
    expect(await vault.read(other, mine)).toBe('unreadable')
    await cp(join(paths.folder, mine.secretId), join(paths.folder, theirs.secretId), { recursive: true })
    expect(await vault.read(other, theirs)).toBe('unreadable')
  })

  it('does not take one version for another', async () => {
    const { paths, vault } = await begin()
    const one = await vault.put(owner, 'old')
    const two = await vault.put(owner, 'new')
    const folder = join(paths.folder, one.secretId)
    await cp(join(folder, '1'), join(folder, '2'))
    expect(await vault.read(owner, two)).toBe('unreadable')
  })

  it('notices any bit that was changed', async () => {
    const { paths, vault } = await begin()
    const one = await vault.put(owner, 'value')
    const file = join(paths.folder, one.secretId, '1')
    const { keyId, sealed } = JSON.parse(readFileSync(file, 'utf8')) as { keyId: string; sealed: string }
    const bytes = Buffer.from(sealed, 'base64')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      writeFileSync(file, JSON.stringify({ keyId, sealed: changed.toString('base64') }))
      expect(await vault.read(owner, one)).toBe('unreadable')
    }
  })

  it('can not read what was destroyed, also from a copy of the values, nor after it was set again', async () => {
    const { data, paths, vault } = await begin()
    const one = await vault.put(owner, 'value')
    const two = await vault.put(owner, 'later')
    const copied = join(data, 'copy')
    await cp(join(paths.folder, one.secretId, '1'), copied)
    expect(await vault.destroy(one.secretId)).toBe(2)
    for (const version of [one, two]) expect(await vault.read(owner, version)).toBe('destroyed')
    const three = await vault.put(owner, 'again')
    await cp(copied, join(paths.folder, one.secretId, '1'))
    expect([three.version, await vault.read(owner, three)]).toEqual([3, { value: 'again' }])
    expect(await vault.read(owner, one)).toBe('destroyed')
    expect(await vault.destroy(one.secretId)).toBe(3)
    expect(await vault.destroy('0'.repeat(32))).toBe(0)
  })

  it('gives a version that was taken back to nobody else', async () => {
    const { vault } = await begin()
    const one = await vault.put(owner, 'refused')
    await vault.discard(one)
    expect(await vault.read(owner, one)).toBe('unreadable')
    expect((await vault.put(owner, 'taken')).version).toBe(2)
  })

  it('keeps what several put at the same time', async () => {
    const { data, vault } = await begin()
    const other = await openVault(data, {}, clock)
    const values = Array.from({ length: 4 }, (_, at) => `value ${at}`)
    const put = await Promise.all(values.map((value, at) => (at % 2 === 0 ? vault : other).put(owner, value)))
    expect(new Set(put.map(({ version }) => version)).size).toBe(4)
    for (const [at, version] of put.entries()) expect(await vault.read(owner, version)).toEqual({ value: values[at] })
  })

  it('never reads what was there when it was destroyed, whatever is put meanwhile', async () => {
    const { vault } = await begin()
    const one = await vault.put(owner, 'value')
    const [, , two] = await Promise.all([
      vault.destroy(one.secretId),
      vault.destroy(one.secretId),
      vault.put(owner, 'another').catch(() => one),
    ])
    expect(await vault.read(owner, one)).toBe('destroyed')
    expect(['destroyed', 'another']).toContain(
      ((read) => (typeof read === 'string' ? read : read.value))(await vault.read(owner, two)),
    )
  })
})

describe('the master key', () => {
  it('is changed while the vault is used', async () => {
    const { data, paths, vault } = await begin()
    const one = await vault.put(owner, 'value')
    const before = readFileSync(paths.masterKeyFile, 'utf8')
    expect(await rotateMasterKey(paths, clock, false)).toMatchObject({ secrets: 1 })
    expect(readFileSync(paths.masterKeyFile, 'utf8')).toMatch(/^\S{44}\n$/)
    expect(readFileSync(paths.masterKeyFile, 'utf8')).not.toBe(before)
    expect(await vault.read(owner, one)).toEqual({ value: 'value' })
    const restored = await openVault(data, {}, clock)
    expect(await restored.read(owner, one)).toEqual({ value: 'value' })
    writeFileSync(paths.masterKeyFile, before)
    expect(await vault.read(owner, one)).toBe('unreadable')
  })

  it('may be given by somebody else, who puts the new one first', async () => {
    const { paths, vault } = await begin()
    const one = await vault.put(owner, 'value')
    const old = readFileSync(paths.masterKeyFile, 'utf8')
    const fresh = `${Buffer.alloc(32, 7).toString('base64')}\n`
    writeFileSync(paths.masterKeyFile, fresh + old)
    await rotateMasterKey(paths, clock, true)
    expect(readFileSync(paths.masterKeyFile, 'utf8')).toBe(fresh + old)
    writeFileSync(paths.masterKeyFile, fresh)
    expect(await vault.read(owner, one)).toEqual({ value: 'value' })
  })

  it('is not thrown away while a secret is under another one', async () => {
    const { paths, vault } = await begin()
    const one = await vault.put(owner, 'value')
    const old = readFileSync(paths.masterKeyFile, 'utf8')
    writeFileSync(paths.masterKeyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`)
    await expect(rotateMasterKey(paths, clock, false)).rejects.toThrow(one.secretId)
    writeFileSync(paths.masterKeyFile, readFileSync(paths.masterKeyFile, 'utf8') + old)
    await rotateMasterKey(paths, clock, false)
    expect(await vault.read(owner, one)).toEqual({ value: 'value' })
  })

  it.each(['', 'short\n', `${'x'.repeat(45)}\n`])('that is none is told: %j', async (text) => {
    const { data, paths } = await begin()
    writeFileSync(paths.masterKeyFile, text)
    await expect(openVault(data, {}, clock)).rejects.toThrow('openssl rand -base64 32')
  })

  it('that is named is not made', async () => {
    const { data } = await begin()
    await expect(openVault(data, { masterKeyFile: join(data, 'none') }, clock)).rejects.toThrow(
      'There is no master key',
    )
  })
})
