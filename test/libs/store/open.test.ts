import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '#libs/store/open.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { mustAppend, noted } from '#test/support/store.ts'

describe('a store URL', () => {
  let dataFolder: string
  beforeEach(() => void (dataFolder = mkdtempSync(join(tmpdir(), 'remuda-open-'))))
  afterEach(() => rmSync(dataFolder, { recursive: true, force: true }))

  it('with memory: keeps nothing on disk', async () => {
    await using store = await openStore('memory:', { clock, dataFolder: join(dataFolder, 'unused') })
    await mustAppend(store, 'machine-a', 0, noted(1))
    expect(existsSync(join(dataFolder, 'unused'))).toBe(false)
  })

  it('with sqlite: alone means a file in the data folder, which is made', async () => {
    await using store = await openStore('sqlite:', { clock, dataFolder: join(dataFolder, 'made', 'here') })
    await mustAppend(store, 'machine-a', 0, noted(1))
    expect(existsSync(join(dataFolder, 'made', 'here', 'remuda.db'))).toBe(true)
  })

  it.each(['sqlite:', 'sqlite://'])('with %s and a path means that file', async (scheme) => {
    const path = join(dataFolder, 'my store.db')
    await using store = await openStore(`${scheme}${path}`, { clock, dataFolder: 'unused' })
    expect([await store.head(), existsSync(path)]).toEqual([0, true])
  })

  it.each(['mysql://host/db', 'nonsense', ''])('that says %j is refused with the ones there are', async (url) => {
    await expect(openStore(url, { clock, dataFolder })).rejects.toThrow(/memory:, sqlite: or sqlite:\/path/)
  })
})
