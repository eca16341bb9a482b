import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { goldenFacts } from '#test/support/golden.ts'
import { everythingIn, mustAppend, noted } from '#test/support/store.ts'
import { progressText } from '../../../services/cli/nouns/storeProgress.ts'
import { jsonOf, runCli, tempFolder } from './support.ts'

const testMaxMs = 60_000
const open = (path: string) => openSqliteStore({ path, clock })

/** A data folder whose store holds a fact of every type. */
async function filledFolder(): Promise<string> {
  const folder = tempFolder()
  await using store = await open(join(folder, 'remuda.db'))
  for (const [version, fact] of goldenFacts.entries()) await mustAppend(store, 'golden', version, fact)
  return folder
}

describe('remuda store verify', { timeout: testMaxMs }, () => {
  it('says what the store of the data folder holds', async () => {
    const data = await filledFolder()
    const { code, stdout } = await runCli(['store', 'verify'], { env: { REMUDA_DATA: data } })
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`events +${goldenFacts.length}\n[^]*sha256 +[0-9a-f]{64}\n[^]*problems +none`))
    expect(await jsonOf(['store', 'verify', '--data', data])).toMatchObject({
      store: 'sqlite:',
      events: goldenFacts.length,
      streams: 1,
      unknown: {},
      problems: [],
    })
  })

  it('ends with a fault when something is wrong, and says what', async () => {
    const data = await filledFolder()
    const path = join(data, 'remuda.db')
    {
      await using store = await open(path)
      await mustAppend(store, 'other', 0, noted(1))
    }
    {
      using db = new DatabaseSync(path)
      db.exec(`UPDATE events SET data = '{"forged":true}' WHERE position = 3`)
    }
    const { code, stdout } = await runCli(['store', 'verify', '--store-url', `sqlite:${path}`])
    expect(code).toBe(1)
    expect(stdout).toMatch(/unknown types +1 Noted\n/)
    expect(stdout).toMatch(/position 3: \w+ can not be read/)
    expect(stdout).toMatch(/seal does not fit/)
  })

  it('tells all that it found before it came to what can not be read at all', async () => {
    const data = await filledFolder()
    {
      using db = new DatabaseSync(join(data, 'remuda.db'))
      db.exec(`UPDATE events SET data = '{"forg' WHERE position = 3`)
    }
    const { code, stdout } = await runCli(['store', 'verify', '--data', data, '--output', 'json'])
    expect(code).toBe(1)
    const { sha256, problems } = JSON.parse(stdout) as { sha256: null; problems: string[] }
    expect(sha256).toBeNull()
    expect(problems).toEqual(
      expect.arrayContaining([expect.stringMatching(/seal/), expect.stringMatching(/^reading stopped: /)]),
    )
  })

  it('leaves a backup as it is', async () => {
    const data = await filledFolder()
    const backup = join(data, 'backup.db')
    {
      await using store = await open(join(data, 'remuda.db'))
      await store.backup(backup)
    }
    expect(await jsonOf(['store', 'verify', '--store-url', `sqlite:${backup}`])).toMatchObject({ problems: [] })
    using db = new DatabaseSync(backup)
    expect(db.prepare(`SELECT value FROM settings WHERE name IN ('epoch', 'isBackup') ORDER BY name`).all()).toEqual([
      { value: 1 },
      { value: 1 },
    ])
  })

  it('does not make a store that is not there', async () => {
    const path = join(tempFolder(), 'typo.db')
    const { code, stderr } = await runCli(['store', 'verify', '--store-url', `sqlite:${path}`])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/error STORE_FAULT: There is no event store .*typo\.db/)])
    expect(existsSync(path)).toBe(false)
    const memory = await runCli(['store', 'verify'], { env: { REMUDA_STORE_URL: 'memory:' } })
    expect([memory.code, memory.stderr]).toEqual([2, expect.stringContaining('error USAGE: memory: ')])
  })

  it('says who has the store open', async () => {
    const data = await filledFolder()
    await using _store = await open(join(data, 'remuda.db'))
    const { code, stderr } = await runCli(['store', 'verify', '--data', data])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/error STORE_FAULT: .*in use by process \d+.*Stop that/)])
  })
})

describe('remuda store copy', { timeout: testMaxMs }, () => {
  it('copies, and copies again what came since', async () => {
    const data = await filledFolder()
    const target = join(tempFolder(), 'copy.db')
    const args = ['store', 'copy', '--from', 'sqlite:', '--to', `sqlite:${target}`]
    const { code, stdout, stderr } = await runCli(args, { env: { REMUDA_DATA: data } })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`events +${goldenFacts.length}, of which ${goldenFacts.length} were copied now`))
    {
      await using store = await open(join(data, 'remuda.db'))
      await mustAppend(store, 'other', 0, noted(1))
    }
    const again = await jsonOf([...args, '--data', data])
    expect(again).toMatchObject({ events: goldenFacts.length + 1, copied: 1, sha256: expect.any(String) })
    const verified = await jsonOf(['store', 'verify', '--store-url', `sqlite:${target}`])
    expect(verified).toMatchObject({ sha256: (again as { sha256: string }).sha256, problems: [] })
    await using source = await open(join(data, 'remuda.db'))
    await using copy = await open(target)
    expect(await everythingIn(copy)).toEqual(await everythingIn(source))
  })

  it('refuses a target that holds something else, and a store as its own copy', async () => {
    const data = await filledFolder()
    const target = join(tempFolder(), 'other.db')
    {
      await using other = await open(target)
      await mustAppend(other, 'other', 0, noted(1))
    }
    const run = (to: string) => runCli(['store', 'copy', '--from', 'sqlite:', '--to', to, '--data', data])
    const { code, stderr } = await run(`sqlite:${target}`)
    expect([code, stderr]).toEqual([2, expect.stringMatching(/error STORE_DIFFERS: .*\nnext: copy to a new store/)])
    const itself = await run('sqlite:')
    expect([itself.code, itself.stderr]).toEqual([2, expect.stringContaining('error USAGE: ')])
  })
})

describe('the progress of a copy', () => {
  const first = { events: 500, copied: 500, position: 500, head: 20_000 }

  it('says how fast it is, how far, and how long it will take', () => {
    const now = { events: 10_500, copied: 10_500, position: 10_500, head: 20_000 }
    expect(progressText(first, now, 2_000)).toBe('10,500 events, 52.5 %, 5,250/s, about 2 s left')
    expect(progressText(first, first, 100)).toBe('500 events, 2.5 %, 5,000/s')
  })

  it('says how much was there before', () => {
    const now = { events: 15_000, copied: 5_000, position: 15_000, head: 20_000 }
    expect(progressText(first, now, 1_000)).toMatch(/^15,000 events \(10,000 were there\), 75 %/)
  })
})
