import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { mustAppend, noted } from '#test/support/store.ts'

describe.skipIf(postgresPrograms === null)('damage to a PostgreSQL store', () => {
  let server: PostgresServer
  let schema: string
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(() => server[Symbol.asyncDispose]())

  const problemsAfter = async (sql: string) => {
    schema = server.name()
    await using store = await openPostgresStore({ url: server.url({ schema }), clock })
    for (let version = 0; version < 20; version++)
      await mustAppend(store, `machine-${version % 3}`, Math.floor(version / 3), noted(`word-${version}`))
    expect((await store.verify()).problems).toEqual([])
    await server.run(`SET search_path TO ${schema}; ${sql}`)
    return (await store.verify()).problems.join('\n')
  }
  const plant = (sql: string) => problemsAfter(`ALTER TABLE events DISABLE TRIGGER ALL; ${sql}`)

  it('by a slip of the hand is not possible', async () => {
    for (const sql of ['DELETE FROM events', 'UPDATE events SET at = 0', 'TRUNCATE events'])
      await expect(problemsAfter(sql)).rejects.toThrow(/never changed or deleted/)
  })

  it.each([
    ['an event deleted', 'DELETE FROM events WHERE position = 7', /position 7: missing/],
    ['the last event deleted', 'DELETE FROM events WHERE position = 20', /should end at position 20, and ends at 19/],
    [
      'the end cut off',
      'DELETE FROM events WHERE position > 18; UPDATE log_end SET position = 18',
      /ends with another seal/,
    ],
    [
      'data changed',
      `UPDATE events SET data = '{"note":"forged"}' WHERE position = 5`,
      /positions 5 to 5: the seal does not fit/,
    ],
    [
      'data written in another way',
      `UPDATE events SET data = data::text::jsonb::json WHERE position = 5`,
      /seal does not fit/,
    ],
    ['a time changed', 'UPDATE events SET at = at + 1 WHERE position = 5', /seal does not fit/],
    ['a type exchanged', `UPDATE events SET type = 'Other' WHERE position = 5`, /seal does not fit/],
    ['a version left out', 'UPDATE events SET version = version + 1 WHERE position = 20', /continues with version/],
    ['a seal taken off', 'DELETE FROM seals WHERE position = 6', /seal does not fit/],
    ['an origin lost', `UPDATE events SET meta = 'null' WHERE position = 5`, /can not be read/],
  ])('is found: %s', async (_what, sql, expected) => {
    expect(await plant(sql)).toMatch(expected)
  })
})
