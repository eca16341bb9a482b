import fc from 'fast-check'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { Heads } from '#libs/store/sqlite/heads.ts'
import { HeadsSaver } from '#libs/store/sqlite/headsSaver.ts'
import { HeadsTable } from '#libs/store/sqlite/headsTable.ts'
import { NameIndex } from '#libs/store/sqlite/nameIndex.ts'
import { prepareSchema, readSetting } from '#libs/store/sqlite/schema.ts'
import { sqliteHome } from '#test/support/store.ts'

const inMemoryMax = 50

/** Heads over an empty database, with room for few and saving often. */
function openHeads(db: DatabaseSync, position: number, max = inMemoryMax) {
  const table = new HeadsTable(db)
  const heads = new Heads(table, 7, max)
  const saver = new HeadsSaver(heads, table, position, 40)
  return { heads, saver }
}

describe('stream heads', () => {
  it('that no longer fit in memory are still known', () => {
    using db = new DatabaseSync(':memory:')
    prepareSchema(db)
    const { heads, saver } = openHeads(db, 0)
    let position = 0
    const versions = new Map<string, number>()
    for (let number = 0; number < 3_000; number++) {
      const name = `machine-${(number * 7_919) % 400}`
      db.exec('BEGIN')
      const found = heads.find(name)
      const version = found < 0 ? 0 : heads.version(found)
      expect(version).toBe(versions.get(name) ?? 0)
      heads.move(found < 0 ? heads.create(name) : found, version + 1, ++position)
      versions.set(name, version + 1)
      saver.saveSome(position)
      db.exec('COMMIT')
      saver.settle(true)
    }
    expect(heads.inMemory).toBeLessThanOrEqual(inMemoryMax * 2)
    expect(readSetting(db, 'headsPosition')).toBeGreaterThan(position - 500)
    for (const [name, version] of versions) expect(heads.version(heads.find(name))).toBe(version)
    expect(heads.find('machine-none')).toBe(-1)
  })

  it('survive a commit that failed in the middle of saving', () => {
    using db = new DatabaseSync(':memory:')
    prepareSchema(db)
    const { heads, saver } = openHeads(db, 0)
    const commit = (position: number, end: 'COMMIT' | 'ROLLBACK') => {
      db.exec('BEGIN')
      const slot = heads.create(`machine-${position}`)
      heads.move(slot, 1, position)
      saver.saveSome(position)
      db.exec(end)
      if (end === 'ROLLBACK') heads.uncreate(slot)
      saver.settle(end === 'COMMIT')
    }
    for (let position = 1; position <= 39; position++) commit(position, 'COMMIT')
    commit(40, 'ROLLBACK')
    expect(heads.find('machine-40')).toBe(-1)
    for (let position = 40; position <= 100; position++) commit(position, position === 41 ? 'ROLLBACK' : 'COMMIT')
    db.exec('BEGIN')
    saver.saveAll(100)
    db.exec('COMMIT')
    saver.settle(true)
    const again = openHeads(db, 100, 1_000).heads
    for (let position = 1; position <= 100; position++)
      expect(again.position(again.find(`machine-${position}`)), `machine-${position}`).toBe(
        position === 41 ? 0 : position,
      )
  })
})

describe('a store that was opened after its process was killed', () => {
  it('finds the heads from the events alone', async () => {
    using home = sqliteHome()
    {
      await using store = await home.open()
      for (let version = 0; version < 5; version++)
        await store.append('machine-a', version, [{ type: 'T', data: version }], cause)
    }
    {
      using db = new DatabaseSync(home.path)
      db.exec(
        `UPDATE streams SET version = 0, position = 0; UPDATE settings SET value = 0 WHERE name = 'headsPosition'`,
      )
    }
    await using store = await home.open()
    expect((await store.read('machine-a')).version).toBe(5)
  })
})

const cause = { actor: 'test', commandId: 'c', correlationId: 'c', causationId: null }

describe('the index of names', () => {
  it('does what a Map does', () => {
    const name = fc.constantFrom(...Array.from({ length: 40 }, (_, number) => `machine-${number}`), 'ü', '🐎')
    const steps = fc.array(fc.tuple(fc.boolean(), name), { maxLength: 4_000, size: 'max' })
    fc.assert(
      fc.property(fc.integer(), steps, (seed, asked) => {
        const [index, model] = [new NameIndex(seed), new Map<string, number>()]
        let slots = 0
        for (const [add, text] of asked) {
          const slot = model.get(text)
          expect(index.find(text)).toBe(slot ?? -1)
          if (add && slot === undefined) {
            index.add(text, slots)
            model.set(text, slots++)
          } else if (!add && slot !== undefined) {
            index.remove(slot)
            model.delete(text)
          }
        }
      }),
      { numRuns: 30 },
    )
  })
})
