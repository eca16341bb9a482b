import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileProvider } from '#services/policy/provider/file.ts'
import { bytesMax, faultOf, listOf, providerConformance } from './conformance.ts'

const inFolder = () => mkdtempSync(join(tmpdir(), 'remuda-provider-'))

providerConformance('a file', async () => {
  const folder = inFolder()
  const path = join(folder, 'machines.json')
  return {
    provider: fileProvider({ name: 'file', path, bytesMax }),
    says: async (text) => writeFileSync(path, text),
    fails: async () => rmSync(path),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
})

describe('a file of machines', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = inFolder()
    path = join(folder, 'machines')
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const provider = (largest = bytesMax) => fileProvider({ name: 'file', path, bytesMax: largest })
  const list = () => listOf(provider())
  const yaml =
    'machines:\n  - name: web-1\n    state: running\n  - instanceId: i-2\n    state: stopped\ncomplete: true\n'

  it('may be YAML', async () => {
    writeFileSync(path, yaml)
    const machines = [
      { name: 'web-1', state: 'running' },
      { instanceId: 'i-2', state: 'stopped' },
    ]
    expect(await list()).toEqual({ machines, complete: true })
  })
  it('is trusted as YAML at none of the places where it may be cut off', async () => {
    for (let length = 0; length < yaml.trimEnd().length; length++) {
      writeFileSync(path, yaml.slice(0, length))
      await faultOf(list())
    }
  })
  it('ends with complete, as YAML, so that its end is known', async () => {
    writeFileSync(path, 'complete: false\nmachines:\n  - name: web-1\n    state: running\n')
    expect(await faultOf(list())).toContain('may be cut off')
  })
  it.each([
    ['aliases', 'a: &a [x]\nmachines: [*a, *a]\ncomplete: true\n', 'neither JSON nor YAML'],
    ['a key twice', 'machines: []\nmachines: []\ncomplete: false\n', 'neither JSON nor YAML'],
    ['other bytes than text', Buffer.from([0xff, 0xfe, 0x7b]), 'UTF-8'],
  ])('is not trusted with %s', async (_, text, words) => {
    writeFileSync(path, text)
    expect(await faultOf(list())).toContain(words)
  })
  it('may be larger as JSON than as YAML', async () => {
    writeFileSync(path, `${yaml}#${' '.repeat(1_000_000)}`)
    expect(await faultOf(listOf(provider(10_000_000)))).toContain('JSON may be larger')
    writeFileSync(path, `{ "machines": [] }${' '.repeat(1_000_000)}`)
    expect(await listOf(provider(10_000_000))).toEqual({ machines: [], complete: false })
  })
  it('is told by name of what keeps it from being read', async () => {
    expect(await faultOf(list())).toBe('its file cannot be read (ENOENT)')
    mkdirSync(path)
    expect(await faultOf(list())).toBe('its path leads to something that is no file')
  })
  it('does not wait for a pipe that nobody writes to', async () => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', path])
    expect(await faultOf(list())).toBe('its path leads to something that is no file')
  })
  it('is seen whole, before or after, when another file takes its place', async () => {
    const write = (count: number) => {
      const machines = Array.from({ length: count }, () => ({ name: `web-${count}`, state: 'running' }))
      writeFileSync(`${path}.new`, JSON.stringify({ machines, complete: true }))
      renameSync(`${path}.new`, path)
    }
    write(1)
    for (let turn = 1; turn < 200; turn++) {
      const listing = list()
      write(1 + (turn % 100))
      const { machines } = await listing
      expect(machines.every(({ name }) => name === `web-${machines.length}`)).toBe(true)
    }
  })
  /** Written at a time that is not that of another writing, however quickly they follow each other. */
  const write = (state: 'running' | 'stopped', time: number) => {
    writeFileSync(path, inventoryOf(state))
    utimesSync(path, time, time)
  }
  it.each([
    ['before', 1],
    ['after', 2],
  ])('is read again when it was written to %s it was read', async (_, times) => {
    write('running', 0)
    const signal = whileRead((time) => time === times && write('stopped', time))
    expect(await listOf(provider(), signal)).toEqual({ machines: [{ id: 'm', state: 'stopped' }], complete: false })
    expect(signal.times).toBeGreaterThan(2)
  })
  it.each([
    ['in place', (time: number) => write(time % 2 === 0 ? 'running' : 'stopped', time)],
    ['at its end', () => appendFileSync(path, ' ')],
  ])('is not trusted when it is written to without end, %s', async (_, act) => {
    write('running', 0)
    expect(await faultOf(listOf(provider(), whileRead(act)))).toContain('its file changes while it is read')
  })
})

/** Of both states, it has the same length. */
const inventoryOf = (state: 'running' | 'stopped') => JSON.stringify({ machines: [{ id: 'm', state }] })

/** A signal that does something whenever the reader looks whether it should go on: before the bytes, and before the end. */
function whileRead(act: (time: number) => unknown): AbortSignal & { times: number } {
  const signal = Object.assign(new AbortController().signal, { times: 0 })
  signal.throwIfAborted = () => void act((signal.times += 1))
  return signal
}
