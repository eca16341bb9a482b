import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createHandler } from '#libs/handle.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { add, causeOf, counter, CounterEvent } from '#test/support/counter.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { PostgresProxy } from '#test/support/postgresProxy.ts'
import { everythingIn, mustAppend, noted, someCause } from '#test/support/store.ts'

describe.skipIf(postgresPrograms === null)('an append to PostgreSQL whose connection is cut', () => {
  let server: PostgresServer
  let proxy: PostgresProxy
  let schema: string
  let store: EventStore
  beforeAll(async () => {
    server = await PostgresServer.create()
    // As in earnest, the store is nobody special on the server.
    await server.run(`CREATE ROLE app LOGIN PASSWORD 'p/w:d@1'; GRANT CREATE ON DATABASE postgres TO app`)
  }, startMs)
  afterAll(() => server[Symbol.asyncDispose]())
  beforeEach(async () => {
    proxy = new PostgresProxy(server)
    schema = server.name()
    store = await open(10_000)
    await mustAppend(store, 'machine-a', 0, noted('before'))
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
  })

  const open = (patienceMs: number) => {
    const password = encodeURIComponent('p/w:d@1')
    const url = server.url({ schema, user: 'app', password, host: proxy.folder })
    return openPostgresStore({ url, clock, patienceMs })
  }

  it.each(['asking', 'working', 'answering'] as const)('while it is %s is stored once and answered', async (moment) => {
    proxy.cut(moment)
    const together = await Promise.all([
      store.append('machine-a', 1, [noted(1), noted(2)], someCause),
      store.append('machine-b', 0, [noted(3)], someCause),
      store.append('machine-b', 0, [noted('late')], someCause),
      store.append('machine-b', 1, [noted(4)], someCause),
      store.append('machine-b', 7, [noted('early')], someCause),
      store.append('machine-c', 0, [], someCause),
    ])
    expect(proxy.cuts).toBe(1)
    const stored = (await everythingIn(store)).slice(1)
    expect(stored.map(({ data }) => data)).toEqual([1, 2, 3, 4].map((note) => ({ note })))
    const [first, second, late, third, early, nothing] = together
    expect([late, early, nothing]).toEqual(['conflict', 'conflict', []])
    expect([first, second, third].flat()).toEqual(stored)
    await mustAppend(store, 'machine-b', 2, noted('next'))
    expect((await store.verify()).problems).toEqual([])
  })

  it('while the server works on it is not stored behind the back of the second try', async () => {
    // Both tries wait for this lock; were the first one left alone, it would come first and take both by surprise.
    const holder = server.run(`BEGIN; SELECT * FROM ${schema}.log_end FOR UPDATE; SELECT pg_sleep(1); COMMIT`)
    await expect.poll(() => locksHeld(server)).toBeGreaterThan(0)
    proxy.cut('working')
    const appended = await mustAppend(store, 'machine-a', 1, noted(1))
    await holder
    expect((await store.read('machine-a', 1)).events).toEqual(appended)
    expect(await store.head()).toBe(2)
  })

  it('is answered as stored though its fence was raised before the second try', async () => {
    const view = store.fenced('relay', await store.raiseFence('relay'))
    proxy.cut('answering', { thenRefuse: true })
    const appended = Promise.all([
      mustAppend(view, 'machine-a', 1, noted(1)),
      mustAppend(store, 'machine-b', 0, noted(2)),
    ])
    await using other = await openPostgresStore({ url: server.url({ schema }), clock })
    await expect.poll(() => other.head()).toBe(3)
    await other.raiseFence('relay')
    const late = expect(mustAppend(view, 'machine-a', 2, noted('late'))).rejects.toThrow(/taken over relay/)
    proxy.admit()
    expect((await appended).flat()).toEqual((await everythingIn(other)).slice(1))
    await late
  })

  it('for longer than patience lasts may be stored or not, which the next try finds out', async () => {
    await using hasty = await open(200)
    proxy.cut('answering', { thenRefuse: true })
    const cause = { ...someCause, commandId: 'command-lost' }
    await expect(hasty.append('machine-a', 1, [noted('stored')], cause)).rejects.toMatchObject({
      name: 'StoreFault',
      message: expect.stringMatching(/not known whether this was stored.*Send the same command again/),
    })
    proxy.admit()
    expect(await hasty.append('machine-a', 1, [noted('stored')], cause)).toBe('conflict')
    const { events } = await hasty.read('machine-a', 1)
    expect(events.map(({ meta }) => meta.commandId)).toEqual(['command-lost'])
  })

  it('is answered to who sends its command again with what it stored', async () => {
    await using hasty = await open(200)
    const handler = createHandler({ store: hasty, clock, decider: counter, schema: CounterEvent })
    await handler.handle('counter-1', add(1), causeOf('c1'))
    proxy.cut('answering', { thenRefuse: true })
    await expect(handler.handle('counter-1', add(15), causeOf('c2'))).rejects.toThrow(/not known/)
    proxy.admit()
    const answer = await handler.handle('counter-1', add(15), causeOf('c2'))
    expect(answer).toMatchObject({ version: 3, facts: [{ data: { amount: 10 } }, { data: { amount: 5 } }] })
    expect((await store.read('counter-1')).version).toBe(3)
  })

  it('fails with a next step when nothing was sent, and takes with it all that waits behind it', async () => {
    await using hasty = await open(300)
    await mustAppend(hasty, 'machine-a', 1, noted(1))
    proxy.refuse()
    await expect(hasty.head()).rejects.toThrow(/Check that PostgreSQL is running/)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 3_000 }, (_, number) => hasty.append(`new-${number}`, 0, [noted(number)], someCause)),
    )
    for (const outcome of [outcomes[0], outcomes.at(-1)])
      expect(outcome).toMatchObject({
        reason: { name: 'StoreFault', message: expect.stringMatching(/Check that PostgreSQL is running/) },
      })
    proxy.admit()
    await mustAppend(hasty, 'machine-a', 2, noted(2))
    expect(await hasty.head()).toBe(3)
  })
})

const locksHeld = async (server: PostgresServer) =>
  (await server.run(`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length
