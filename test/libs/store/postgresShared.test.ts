import fc from 'fast-check'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { everythingIn, firstOf, mustAppend, noted, someCause } from '#test/support/store.ts'
import { appendSlowly, type SlowStep } from './appendSlowly.ts'

const runs = 15
const neverMs = 3_600_000

const positionsOf = (events: readonly Recorded[]) => events.map(({ meta }) => meta.position)
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

describe.skipIf(postgresPrograms === null)('several stores over one PostgreSQL database', () => {
  let server: PostgresServer
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(() => server[Symbol.asyncDispose]())

  const open = (schema: string, options: { pollMs?: number } = {}) =>
    openPostgresStore({ url: server.url({ schema }), clock, ...options })

  it('make the tables once, though they open at the same time', async () => {
    const schema = server.name()
    const stores = await Promise.all([open(schema), open(schema), open(schema)])
    expect(stores.map(({ epoch }) => epoch)).toEqual([1, 1, 1])
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  it('tell the same time, whatever the clocks of their own machines show', async () => {
    const schema = server.name()
    const wrong = { ...clock, steadyMs: () => clock.steadyMs() - neverMs, wallMs: () => clock.wallMs() - neverMs }
    await using one = await open(schema)
    await using other = await openPostgresStore({ url: server.url({ schema }), clock: wrong })
    const [first, second] = [(await one.timeMs?.()) ?? 0, (await other.timeMs?.()) ?? 0]
    expect(second).toBeGreaterThanOrEqual(first)
    expect(second - first).toBeLessThan(60_000)
    expect(Math.abs(first - Date.now())).toBeLessThan(60_000)
  })

  it('let exactly one win a race, and the loser sees what was stored', async () => {
    const schema = server.name()
    await using one = await open(schema)
    await using other = await open(schema)
    for (let version = 0; version < 40; version++) {
      const outcomes = await Promise.all(
        [one, other, one, other].map((store, writer) => store.append('machine-a', version, [noted(writer)], someCause)),
      )
      expect(outcomes.filter((outcome) => outcome !== 'conflict')).toHaveLength(1)
      expect((await other.read('machine-a', version)).version).toBe(version + 1)
    }
    expect((await one.verify()).problems).toEqual([])
  })

  it.each([
    ['by notification', { pollMs: neverMs }],
    ['by looking, when notifications are lost', { pollMs: 20 }],
  ])('hear of each other %s', async (_how, options) => {
    const schema = server.name()
    await using writer = await open(schema)
    await using reader = await open(schema, options)
    const followed = firstOf(reader, 0, 50)
    if (options.pollMs < neverMs)
      await server.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`)
    for (let version = 0; version < 50; version++) await mustAppend(writer, 'machine-a', version, noted(version))
    expect(positionsOf(await followed)).toEqual(upTo(50))
  })

  it('lose an append to somebody who takes no lock, and nothing that was appended with it', async () => {
    const schema = server.name()
    await using store = await open(schema)
    const intruder = new Client(server.url({ schema }))
    await intruder.connect()
    await intruder.query(
      `SET search_path TO ${schema}; BEGIN; INSERT INTO events VALUES (1000, 'machine-a', 1, 0, 'T', '1', '{}')`,
    )
    const appended = ['machine-b', 'machine-a', 'machine-c'].map((stream) =>
      store.append(stream, 0, [noted(stream)], someCause),
    )
    await expect.poll(() => waiting(server)).toBe(1)
    await intruder.query('COMMIT')
    await intruder.end()
    const outcomes = await Promise.all(appended)
    expect(outcomes.map((outcome) => (outcome === 'conflict' ? outcome : positionsOf(outcome)))).toEqual([
      [1],
      'conflict',
      [2],
    ])
  })

  it('never show a position before those that come before it, whoever writes and however long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), (steps) => followsAll(server, steps)),
      { numRuns: runs, endOnFailure: true },
    )
  }, 120_000)
})

interface Step extends SlowStep {
  readonly writer: 0 | 1 | 'slow'
  readonly facts: number
  readonly startsMs: number
}

const step: fc.Arbitrary<Step> = fc.record({
  writer: fc.constantFrom(0 as const, 1 as const, 'slow' as const),
  facts: fc.integer({ min: 1, max: 4 }),
  startsMs: fc.integer({ min: 0, max: 60 }),
  openMs: fc.integer({ min: 0, max: 30 }),
  givesUp: fc.boolean(),
})

/** Runs writers side by side, some in transactions that stay open, and checks what followers and readers see meanwhile. */
async function followsAll(server: PostgresServer, steps: readonly Step[]): Promise<void> {
  const url = server.url({ schema: server.name() })
  await using one = await openPostgresStore({ url, clock, pollMs: 5 })
  await using other = await openPostgresStore({ url, clock, pollMs: neverMs })
  const count = steps.reduce((sum, { writer, givesUp, facts }) => (writer === 'slow' && givesUp ? sum : sum + facts), 0)
  const followers = [firstOf(one, 0, count), firstOf(other, 0, count)]
  const reading = new AbortController()
  const reader = readAgainAndAgain(other, reading.signal)
  await Promise.all(
    steps.map(async (step, number) => {
      await pause(step.startsMs)
      const facts = Array.from({ length: step.facts }, (_, index) => noted(index))
      if (step.writer === 'slow') await appendSlowly(url, `machine-${number}`, facts, step)
      else await mustAppend([one, other][step.writer] as EventStore, `machine-${number}`, 0, ...facts)
    }),
  )
  for (const follower of followers) expect(positionsOf(await follower)).toEqual(upTo(count))
  reading.abort()
  await reader
  expect((await one.verify()).problems).toEqual([])
}

async function readAgainAndAgain(store: EventStore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const head = await store.head()
    const seen = positionsOf(await everythingIn(store))
    expect(seen).toEqual(upTo(seen.length))
    expect(seen.length).toBeGreaterThanOrEqual(head)
  }
}

const waiting = async (server: PostgresServer) =>
  (await server.run(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)).length
