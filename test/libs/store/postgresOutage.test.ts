import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { everythingIn, mustAppend, noted } from '#test/support/store.ts'

const patienceMs = 60_000

describe.skipIf(postgresPrograms === null)('a PostgreSQL store under load and followed', () => {
  let server: PostgresServer
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(() => server[Symbol.asyncDispose]())

  const restart = (how: 'fast' | 'immediate') => async () => {
    await server.stop(how)
    await pause(100)
    await server.start()
  }
  const kill = async () => {
    for (let time = 0; time < 8; time++) {
      await server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remuda'`)
      await pause(40)
    }
  }

  it.each([
    ['its server is restarted', restart('fast')],
    ['its server crashes and comes back', restart('immediate')],
    ['its connections are killed, again and again', kill],
  ])(
    'loses no acknowledged event, stores none twice and goes on being followed when %s',
    async (_what, disturb) => {
      await using store = await openPostgresStore({ url: server.url({ schema: server.name() }), clock, patienceMs })
      const load = startLoad(store)
      await load.reached(200)
      await disturb()
      await load.reached(load.acknowledged.length + 200)
      await load.end()

      const stored = await everythingIn(store)
      const byId = new Map(stored.map((event) => [event.meta.id, event]))
      for (const event of load.acknowledged) expect(byId.get(event.meta.id)).toEqual(event)
      expect(stored.length).toBe(load.acknowledged.length)
      expect(load.followed).toEqual(stored)
      expect((await store.verify()).problems).toEqual([])
    },
    2 * patienceMs,
  )
})

describe.skipIf(postgresPrograms === null)('a standby of a PostgreSQL server', () => {
  it(
    'is refused, and once it has taken over, its store is in a new epoch',
    async () => {
      await using primary = await PostgresServer.create()
      const schema = primary.name()
      await using store = await openPostgresStore({ url: primary.url({ schema }), clock })
      await mustAppend(store, 'machine-a', 0, noted(1))

      await using standby = await primary.createStandby()
      const open = () => openPostgresStore({ url: standby.url({ schema }), clock, patienceMs: 0 })
      await expect(open()).rejects.toThrow(/does not take writes. The server only reads: it is a standby/)
      await standby.run('SELECT pg_promote()')
      await using successor = await open()
      expect(successor.epoch).toBeGreaterThan(store.epoch)
      expect(await everythingIn(successor)).toEqual(await everythingIn(store))
      await mustAppend(successor, 'machine-a', 1, noted(2))
    },
    startMs,
  )
})

/** Eight callers that append one event after another, each to its stream, and a follower. */
function startLoad(store: EventStore) {
  const acknowledged: Recorded[] = []
  const followed: Recorded[] = []
  const stop = new AbortController()
  let going = true
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    for (let version = 0; going; version++)
      acknowledged.push(...(await mustAppend(store, `machine-${caller}`, version, noted(version))))
  })
  const follower = (async () => {
    for await (const page of store.follow(0, stop.signal)) followed.push(...page)
  })()
  const soon = { timeout: patienceMs, interval: 10 }
  return {
    acknowledged,
    followed,
    reached: (count: number) => expect.poll(() => acknowledged.length, soon).toBeGreaterThan(count),
    async end() {
      going = false
      await Promise.all(callers)
      await expect.poll(() => followed.length, soon).toBeGreaterThanOrEqual(acknowledged.length)
      stop.abort()
      await follower
    },
  }
}
