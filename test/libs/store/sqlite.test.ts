import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { mustAppend, noted, sqliteHome } from '#test/support/store.ts'
import { conforms } from './conformance.ts'

conforms('SQLite', sqliteHome)

describe('a SQLite file of a Remuda that knew no fences', () => {
  it('gets them when it is opened', async () => {
    using home = sqliteHome()
    {
      await using store = await home.open()
      await mustAppend(store, 'machine-a', 0, noted(1))
    }
    {
      using db = new DatabaseSync(home.path)
      db.exec('DROP TABLE fences')
    }
    await using store = await home.open()
    expect(await store.raiseFence('relay')).toBe(1)
    await mustAppend(store.fenced('relay', 1), 'machine-a', 1, noted(2))
    expect((await store.verify()).problems).toEqual([])
  })
})
