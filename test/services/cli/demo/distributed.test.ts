import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findNats, findPostgres, NotInstalled } from '#services/cli/demo/cluster/installed.ts'
import { readWords } from '#services/cli/demo/words.ts'

describe('what the distributed demo needs', () => {
  it('is found in the first folder that has all of it', () => {
    const [some, all] = [mkdtempSync(join(tmpdir(), 'remuda-test-')), mkdtempSync(join(tmpdir(), 'remuda-test-'))]
    for (const file of [join(some, 'postgres'), join(all, 'postgres'), join(all, 'initdb'), join(all, 'nats-server')])
      writeFileSync(file, '')
    expect(findPostgres([some, all])).toBe(all)
    expect(findNats([some, all])).toBe(join(all, 'nats-server'))
    for (const folder of [some, all]) rmSync(folder, { recursive: true })
  })

  it.each([
    ['postgresql', findPostgres],
    ['nats-server', findNats],
  ])('says which package to install when there is no %s', (name, find) => {
    expect(() => find([])).toThrow(NotInstalled)
    expect(() => find([])).toThrow(`install the package ${name},`)
  })
})

describe('the words of the demo', () => {
  it.each([
    [[], { isDistributed: false, endsByItself: false, port: 0 }],
    [['--exit', '--port', '81', '--distributed'], { isDistributed: true, endsByItself: true, port: 81 }],
    [['--port'], { isDistributed: false, endsByItself: false, port: 4780 }],
  ])('%j are understood', (words, wanted) => expect(readWords(words)).toEqual(wanted))

  it.each([[['--quick']], [['--port', 'x']], [['--port', '65536']], [['--port', '-1']]])('%j are not', (words) =>
    expect(readWords(words)).toBeNull(),
  )
})
