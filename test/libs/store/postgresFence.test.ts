import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { everythingIn, mustAppend, noted, someCause } from '#test/support/store.ts'
import { appendSlowly } from './appendSlowly.ts'

describe.skipIf(postgresPrograms === null)('a fence in a PostgreSQL database', () => {
  let server: PostgresServer
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(() => server[Symbol.asyncDispose](), startMs)

  const open = (schema: string) => openPostgresStore({ url: server.url({ schema }), clock })

  it('keeps off a holder that does not know of its loss, from the moment another raises it', async () => {
    const schema = server.name()
    await using one = await open(schema)
    await using other = await open(schema)
    for (let round = 0; round < 10; round++) {
      const view = one.fenced('relay', await one.raiseFence('relay'))
      const appends = Array.from({ length: 30 }, async (_, number) => {
        await pause(number / 2)
        return view.append(`machine-${round}-${number}`, 0, [noted(number)], someCause)
      })
      const settled = Promise.allSettled(appends)
      await appends[0]
      await other.raiseFence('relay')
      const before = await everythingIn(other)
      const outcomes = await settled
      expect(await everythingIn(other)).toEqual(before)
      await expect(mustAppend(view, `machine-${round}-late`, 0, noted('late'))).rejects.toThrow(/taken over relay/)
      expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    }
    expect((await one.verify()).problems).toEqual([])
  })

  it('waits for an append that is not committed yet before it is raised', async () => {
    const schema = server.name()
    await using store = await open(schema)
    const fences = [{ name: 'relay', token: await store.raiseFence('relay') }]
    const slow = { openMs: 300, givesUp: false }
    const appended = appendSlowly(server.url({ schema }), 'machine-a', [noted(1)], slow, fences)
    await expect.poll(() => holding(server)).toBe(1)
    expect(await store.raiseFence('relay')).toBe(2)
    expect(await everythingIn(store)).toHaveLength(1)
    await appended
  })

  it('can be raised in a database that the Remuda before has made', async () => {
    const schema = server.name()
    {
      await using store = await open(schema)
      await mustAppend(store, 'machine-a', 0, noted(1))
    }
    await server.run(`SET search_path TO ${schema}; DROP TABLE fences; DROP FUNCTION raise_fence, append_fenced_batch;
      DELETE FROM formats WHERE number > 1`)
    await using store = await open(schema)
    expect(await store.raiseFence('relay')).toBe(1)
    await mustAppend(store.fenced('relay', 1), 'machine-a', 1, noted(2))
    expect((await store.verify()).problems).toEqual([])
  })
})

const holding = async (server: PostgresServer) =>
  (await server.run(`SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'`)).length
