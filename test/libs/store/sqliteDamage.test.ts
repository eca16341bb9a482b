import { DatabaseSync } from 'node:sqlite'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mustAppend, noted, sqliteHome, type SqliteHome } from '#test/support/store.ts'

describe('damage to an SQLite store', () => {
  let home: SqliteHome
  beforeEach(async () => {
    home = sqliteHome()
    await using store = await home.open()
    for (let version = 0; version < 20; version++)
      await mustAppend(store, `machine-${version % 3}`, Math.floor(version / 3), noted(`word-${version}`))
  })
  afterEach(() => home[Symbol.dispose]())

  const plant = (sql: string) => {
    using db = new DatabaseSync(home.path, { enableForeignKeyConstraints: false })
    db.exec(sql)
  }
  const problems = async () => {
    await using store = await home.open()
    return (await store.verify()).problems
  }

  it('is not seen where there is none', async () => {
    expect(await problems()).toEqual([])
  })

  it.each([
    ['an event deleted', 'DELETE FROM events WHERE position = 7', /position 7: missing/],
    ['a whole commit deleted', 'DELETE FROM events WHERE position = 1', /position 1: missing/],
    [
      'data changed',
      `UPDATE events SET data = '{"note":"forged"}' WHERE position = 5`,
      /positions 5 to 5: the seal does not fit/,
    ],
    [
      'an actor changed',
      `UPDATE events SET meta = replace(meta, 'test', 'boss') WHERE position = 5`,
      /seal does not fit/,
    ],
    ['a time changed', 'UPDATE events SET at = at + 1 WHERE position = 5', /seal does not fit/],
    ['a type exchanged', `UPDATE types SET name = 'Other'`, /seal does not fit/],
    ['a stream renamed', `UPDATE streams SET name = 'machine-x' WHERE name = 'machine-1'`, /seal does not fit/],
    [
      'two events exchanged',
      'UPDATE events SET data = (SELECT data FROM events WHERE position = 4) WHERE position = 5',
      /seal/,
    ],
    ['a version left out', 'UPDATE events SET version = version + 1 WHERE position = 20', /continues with version/],
    ['the chain cut', 'UPDATE events SET prev = 0 WHERE position = 20', /after position 0/],
    ['text that is no JSON', `UPDATE events SET data = '{"note' WHERE position = 5`, /can not be read/],
    ['a seal taken off', 'UPDATE events SET seal = NULL WHERE position = 6', /seal does not fit/],
    ['a stream without a name', `DELETE FROM streams WHERE name = 'machine-1'`, /has no name/],
  ])('is found: %s', async (_what, sql, expected) => {
    plant(sql)
    expect((await problems()).join('\n')).toMatch(expected)
  })

  it('is found: one bit that turned over on the disk', async () => {
    const bytes = readFileSync(home.path)
    const at = bytes.indexOf('word-11')
    const file = openSync(home.path, 'r+')
    writeSync(file, Buffer.from([(bytes[at] ?? 0) ^ 1]), 0, 1, at)
    closeSync(file)
    expect((await problems()).join('\n')).toMatch(/positions 12 to 12: the seal does not fit/)
  })

  it('that SQLite itself sees is reported, or refused at the door', async () => {
    const file = openSync(home.path, 'r+')
    writeSync(file, Buffer.alloc(2_048, 0xff), 0, 2_048, 4_096 + 1_024)
    closeSync(file)
    const outcome = await problems().catch((error: Error) => [error.message])
    expect(outcome.join('\n')).toMatch(/SQLite|malformed|damaged/)
  })

  it('makes a backup fail, and leaves no file that could be taken for one', async () => {
    plant(`UPDATE events SET data = '{"note":"forged"}' WHERE position = 5`)
    await using store = await home.open()
    await expect(store.backup(home.target('copy'))).rejects.toThrow(/copy is damaged.*seal does not fit/)
    expect(() => readFileSync(home.target('copy'))).toThrow(/ENOENT/)
  })

  it.each([
    ['the database of another program', 'DROP TABLE events; PRAGMA application_id = 7', /another program/],
    ['a newer format', 'PRAGMA user_version = 99', /format 99/],
  ])('keeps %s from being opened', async (_what, sql, expected) => {
    plant(sql)
    await expect(home.open()).rejects.toThrow(expected)
  })
})
