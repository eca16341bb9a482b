import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFiles } from '#services/agent/files.ts'
import { lockFolder } from '#services/agent/lock.ts'
import { thisMachine } from '#services/agent/machine.ts'
import { MachineFacts } from '#contracts/machine.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remuda-disk-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the data folder', () => {
  it('keeps what is written, for its owner alone', async () => {
    await using files = await openFiles(join(folder, 'data'))
    await files.replace('identity.json', 'one')
    await files.replace('identity.json', 'two')
    await files.append('logs/a.log', 'x', { durable: false })
    await files.append('logs/a.log', 'y', { durable: true })
    expect(await files.read('identity.json')).toBe('two')
    expect(await files.read('logs/a.log')).toBe('xy')
    expect(await files.read('missing')).toBeNull()
    for (const name of ['identity.json', 'logs/a.log']) {
      expect((await stat(join(folder, 'data', name))).mode & 0o777).toBe(0o600)
    }
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700)
    await files.remove('logs/a.log')
    expect(await files.read('logs/a.log')).toBeNull()
  })

  it('appends in the order of the calls, also when a file is replaced in between', async () => {
    await using files = await openFiles(folder)
    const all = Array.from({ length: 200 }, (_, at) => files.append('a', `${at} `, { durable: at % 50 === 0 }))
    await Promise.all(all)
    expect((await files.read('a'))!.trim().split(' ').map(Number)).toEqual(Array.from({ length: 200 }, (_, at) => at))
    await files.replace('a', 'new ')
    await files.append('a', 'more', { durable: true })
    expect(await files.read('a')).toBe('new more')
  })

  it('has room for more files than may be open at once', async () => {
    await using files = await openFiles(folder)
    for (let file = 0; file < 80; file++) await files.append(`f${file}`, 'a', { durable: false })
    for (let file = 0; file < 80; file++) await files.append(`f${file}`, 'b', { durable: false })
    for (let file = 0; file < 80; file++) expect(await files.read(`f${file}`)).toBe('ab')
  })
})

describe('the lock of a data folder', () => {
  const leave = async (text: string) => {
    await mkdir(join(folder, 'lock'), { recursive: true })
    const highest = Math.max(0, ...(await readdir(join(folder, 'lock'))).map(Number))
    await writeFile(join(folder, 'lock', String(highest + 1)), text)
  }

  it('is held by one, who is named, and free again afterwards', async () => {
    const first = await lockFolder(folder)
    expect(JSON.parse(await readFile(join(folder, 'agent.lock'), 'utf8')).pid).toBe(process.pid)
    await expect(lockFolder(folder)).rejects.toThrow('Another agent')
    await first[Symbol.asyncDispose]()
    expect(await readdir(folder)).toEqual(['lock'])
    await using _second = await lockFolder(folder)
    expect(await readdir(join(folder, 'lock'))).toEqual(['2'])
  })

  it('is taken over from a process that has died, whoever has its number now', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    for (const dead of [
      JSON.stringify({ pid: child.pid, started: '1' }),
      JSON.stringify({ pid: process.pid, started: '1' }),
      'torn',
    ]) {
      await leave(dead)
      await (await lockFolder(folder))[Symbol.asyncDispose]()
    }
  })

  it('goes to exactly one of many who want it, each time it is free', async () => {
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 0) await leave('torn')
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)))
      const won = tries.filter((one) => one.status === 'fulfilled')
      expect(won).toHaveLength(1)
      await won[0]!.value[Symbol.asyncDispose]()
    }
  })
})

describe('this machine', () => {
  it('has facts of the agreed shape, the same each time', () => {
    expect(MachineFacts.parse(thisMachine.facts())).toEqual(thisMachine.facts())
    expect(thisMachine.facts().agentVersion).toMatch(/^\d+\.\d+\.\d+/)
  })
})
