import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { mustAppend, noted, sqliteHome } from '#test/support/store.ts'

const appendLoop = fileURLToPath(new URL('./appendLoop.ts', import.meta.url))
const rounds = 5

/** Starts a process that appends for ever; resolves when it has acknowledged `enough` appends. */
async function startAppending(path: string, enough: number) {
  const child = spawn(process.execPath, [appendLoop, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await expect.poll(() => child.exitCode !== null || said.split('\n').length > enough, { timeout: 20_000 }).toBe(true)
  return {
    pid: child.pid,
    async kill() {
      const gone = once(child, 'close')
      child.kill('SIGKILL')
      await gone
      const whole = said.slice(0, said.lastIndexOf('\n')).split('\n').slice(1)
      return new Map(whole.map((line) => line.split(' ') as [string, string]))
    },
  }
}

describe('an SQLite store whose process is killed', () => {
  it('has everything it acknowledged, round after round', { timeout: 60_000 }, async () => {
    using home = sqliteHome()
    for (let round = 0; round < rounds; round++) {
      const writer = await startAppending(home.path, 40 + round * 37)
      const acknowledged = await writer.kill()
      expect(acknowledged.size).toBeGreaterThan(0)
      await using store = await home.open()
      for (const [stream, version] of acknowledged) {
        const slice = await store.read(stream)
        expect(slice.version).toBeGreaterThanOrEqual(Number(version))
        // An append stores all of its facts or none.
        expect(slice.version % 2).toBe(0)
        expect(slice.events.map(({ meta }) => meta.version)).toEqual(slice.events.map((_, index) => index + 1))
      }
      expect((await store.verify()).problems).toEqual([])
    }
  })

  it('gives up its lock, and another process takes the store over', { timeout: 30_000 }, async () => {
    using home = sqliteHome()
    const writer = await startAppending(home.path, 1)
    await expect(home.open()).rejects.toThrow(
      new RegExp(`in use by process ${writer.pid} on .* since .*Stop that process`),
    )
    await writer.kill()
    await using store = await home.open()
    await mustAppend(store, 'machine-after', 0, noted(1))
  })
})

describe('the lock of an SQLite store', () => {
  it('is held against the same process as well', async () => {
    using home = sqliteHome()
    await using store = await home.open()
    await expect(home.open()).rejects.toThrow(new RegExp(`in use by process ${process.pid} `))
    await mustAppend(store, 'machine-a', 0, noted(1))
    await expect(home.open()).rejects.toThrow(/in use/)
  })

  it('is not fooled by what a dead holder left behind, even when its process id lives again', async () => {
    using home = sqliteHome()
    writeFileSync(
      `${home.path}.holder`,
      JSON.stringify({ pid: process.pid, host: 'here', bootId: 'before', since: 'then' }),
    )
    await using store = await home.open()
    await mustAppend(store, 'machine-a', 0, noted(1))
    expect(JSON.parse(readFileSync(`${home.path}.holder`, 'utf8'))).toMatchObject({ pid: process.pid })
  })
})
