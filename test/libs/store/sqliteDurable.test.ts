import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { checkDurable, checkSqliteVersion, connect } from '#libs/store/sqlite/connection.ts'
import { openEngine } from '#libs/store/sqlite/engine.ts'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { everythingIn, mustAppend, noted, someCause, sqliteHome } from '#test/support/store.ts'

const one = (db: DatabaseSync, sql: string) => Object.values(db.prepare(sql).get() ?? {})[0]

describe('a connection to SQLite', () => {
  it('writes ahead, fully synchronous, trusting no schema', () => {
    using home = sqliteHome()
    using db = connect(home.path)
    expect(one(db, 'PRAGMA journal_mode')).toBe('wal')
    expect(one(db, 'PRAGMA synchronous')).toBe(2)
    expect(one(db, 'PRAGMA trusted_schema')).toBe(0)
    expect(one(db, 'PRAGMA foreign_keys')).toBe(1)
  })

  it('makes files that only their owner can read', () => {
    using home = sqliteHome()
    using db = connect(home.path)
    db.exec('CREATE TABLE noted (id INTEGER)')
    for (const end of ['', '-wal', '-shm']) expect(statSync(`${home.path}${end}`).mode & 0o077, end).toBe(0)
  })

  it('that would not write durably is refused', () => {
    using db = new DatabaseSync(':memory:')
    db.exec('PRAGMA synchronous = NORMAL')
    expect(() => checkDurable(db)).toThrow(/synchronous is 1, not FULL/)
  })

  it('of a version that can corrupt its file is refused', () => {
    for (const version of ['3.51.2', '3.40.1', '2.99.0']) expect(() => checkSqliteVersion(version)).toThrow(/3.51.3/)
    for (const version of ['3.51.3', '3.53.4', '4.0.0']) expect(() => checkSqliteVersion(version)).not.toThrow()
  })

  it('says which file could not be opened, and what to do', () => {
    using home = sqliteHome()
    expect(() => connect(home.target('no/such/folder.db'))).toThrow(/no\/such\/folder.db.*Check that its folder exists/)
  })
})

describe('an SQLite store that is full', () => {
  it('fails what it could not write, keeps the rest, and goes on when there is room', async () => {
    using home = sqliteHome()
    const before = await fillUp(home.path)
    await using store = await home.open()
    expect(await everythingIn(store)).toEqual(before)
    await mustAppend(store, 'machine-big', before.length, noted('there is room again'))
    expect((await store.verify()).problems).toEqual([])
  })
})

/** Appends to a store with a size limit until it is full; answers what it had acknowledged. */
async function fillUp(path: string) {
  await using store = await openSqliteStore({ path, clock, bytesMax: 400_000 })
  let version = 0
  const big = noted('x'.repeat(20_000))
  for (;;) {
    try {
      await mustAppend(store, 'machine-big', version, big)
      version++
    } catch (error) {
      expect(error).toMatchObject({ name: 'StoreFault', message: expect.stringMatching(/disk is full/) })
      break
    }
  }
  // The heads are right: the same version is still the expected one, and a stream that failed to start does not exist.
  const together = [
    store.append('machine-big', version, [big], someCause),
    store.append('machine-new', 0, [big], someCause),
  ]
  expect((await Promise.allSettled(together)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await store.read('machine-new')).toEqual({ version: 0, events: [] })
  expect((await store.read('machine-big')).version).toBe(version)
  expect(await store.append('machine-big', version + 1, [big], someCause)).toBe('conflict')
  await mustAppend(store, 'machine-big', version, noted('small'))
  expect(await store.head()).toBe(version + 1)
  return await everythingIn(store)
}

describe('an SQLite store whose failed write can not be taken back', () => {
  it('takes no more, since it no longer knows what is stored', async () => {
    using home = sqliteHome()
    await using engine = await openEngine({ path: home.path, clock })
    engine.db().close()
    const failed = new Promise((done, fail) =>
      engine.writer.enqueue({ chars: 0, write() {}, done: () => done(null), fail }),
    )
    await expect(failed).rejects.toMatchObject({ name: 'StoreFault' })
    expect(() => engine.writer.enqueue({ chars: 0, write() {}, done() {}, fail() {} })).toThrow(/Restart Remuda/)
  })
})

describe('a large batch', () => {
  it('is written in several commits, in order, and the write-ahead log stays small', async () => {
    using home = sqliteHome()
    await using store = await home.open()
    const appends = Array.from({ length: 9_000 }, (_, number) =>
      store.append(`machine-${number}`, 0, [noted('x'.repeat(800))], someCause),
    )
    const recorded = await Promise.all(appends)
    expect(recorded.map((events) => (events === 'conflict' ? 0 : events[0]?.meta.position))).toEqual(
      recorded.map((_, at) => at + 1),
    )
    expect(statSync(`${home.path}-wal`).size).toBeLessThan(16 * 1_048_576)
  })

  it('that is more than can be queued is refused before it grows for ever', async () => {
    using home = sqliteHome()
    await using engine = await openEngine({ path: home.path, clock })
    const written: string[] = []
    const work = (name: string, chars: number) => ({
      chars,
      write: () => void written.push(name),
      done() {},
      fail() {},
    })
    engine.writer.enqueue(work('most of it', 200 * 1_048_576))
    expect(() => engine.writer.enqueue(work('too much', 100 * 1_048_576))).toThrow(/can not keep up/)
    await expect.poll(() => written).toEqual(['most of it'])
    engine.writer.enqueue(work('later', 100 * 1_048_576))
    await expect.poll(() => written).toEqual(['most of it', 'later'])
  })
})
