import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock as clock } from '#libs/systemClock.ts'
import { openVault } from '#libs/vault/open.ts'
import { jsonOf, runCli, tempFolder } from './support.ts'

const owner = { projectId: 'shop', name: 'S', scope: '{}' }

describe('remuda vault rotate', () => {
  it('puts every secret under a new key', async () => {
    const data = tempFolder()
    const vault = await openVault(data, {}, clock)
    const kept = await vault.put(owner, 'value')
    const before = readFileSync(join(data, 'master-key'), 'utf8')
    expect(await jsonOf(['vault', 'rotate', '--data', data])).toMatchObject({ secrets: 1 })
    expect(readFileSync(join(data, 'master-key'), 'utf8')).not.toBe(before)
    expect(await vault.read(owner, kept)).toEqual({ value: 'value' })
  })

  it('says what is wrong with the key', async () => {
    const data = tempFolder()
    writeFileSync(join(data, 'master-key'), 'none')
    const { code, stderr } = await runCli(['vault', 'rotate'], { env: { REMUDA_DATA: data } })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Line 1 of')])
  })
})
