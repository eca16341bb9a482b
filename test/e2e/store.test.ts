import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventRow } from '#contracts/eventRow.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { goldenFacts } from '#test/support/golden.ts'
import { PostgresServer, startMs } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { Remuda, until } from '#test/support/remuda.ts'
import { everythingIn, mustAppend, noted } from '#test/support/store.ts'
import { jsonOf, startCli } from '../services/cli/support.ts'

const limitMs = 120_000
const testMs = 300_000
const streams = 500
const rounds = 60
const eventCount = goldenFacts.length + streams * rounds

interface Copied {
  readonly events: number
  readonly copied: number
  readonly sha256: string
}

const copied = async (from: string, to: string) =>
  (await jsonOf(['store', 'copy', '--from', from, '--to', to])) as Copied
const verified = (url: string) => jsonOf(['store', 'verify', '--store-url', url])

describe.skipIf(postgresPrograms === null)('a store that is moved', { timeout: testMs }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-move-'))
  let server: PostgresServer
  beforeAll(async () => void (server = await PostgresServer.create()), startMs)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  }, startMs)

  /** Copies, is killed in the middle, and copies on. Answers what the second copy says. */
  async function copiedInTwo(from: string, to: string, lookAt: () => Promise<number>): Promise<Copied> {
    const first = startCli(['store', 'copy', '--from', from, '--to', to])
    await until('a part was copied', limitMs, async () => {
      if (first.child.exitCode !== null) throw new Error(`it ended before it was killed: ${first.said.stderr}`)
      return (await lookAt()) > eventCount / 5
    })
    first.child.kill('SIGKILL')
    await first.ended
    const answer = await copied(from, to)
    expect(answer.copied).toBeGreaterThan(0)
    expect(answer.copied).toBeLessThan(eventCount)
    return answer
  }

  it('to PostgreSQL and back, killed in the middle both times, is the same store', async () => {
    const [path, backPath] = [join(folder, 'made.db'), join(folder, 'back.db')]
    const schema = server.name()
    const url = server.url({ schema })
    await makeStore(path)
    const there = await copiedInTwo(`sqlite:${path}`, url, async () => {
      const [row] = await server.run(`SELECT position FROM ${schema}.log_end`).catch(() => [])
      return Number(row?.['position'] ?? 0)
    })
    const back = await copiedInTwo(url, `sqlite:${backPath}`, () => headOfFile(backPath))
    expect(back).toMatchObject({ events: eventCount, sha256: there.sha256 })
    for (const store of [`sqlite:${path}`, url, `sqlite:${backPath}`])
      expect(await verified(store)).toMatchObject({
        events: eventCount,
        sha256: there.sha256,
        problems: [],
        unknown: { Noted: streams * rounds },
      })

    await using first = await openSqliteStore({ path, clock })
    await using middle = await openPostgresStore({ url, clock })
    await using last = await openSqliteStore({ path: backPath, clock })
    const events = await everythingIn(first)
    for (const store of [middle, last]) {
      expect(await everythingIn(store)).toEqual(events)
      expect(await checkpointsOf(store)).toEqual(await checkpointsOf(first))
      expect(store.epoch).toBeGreaterThan(first.epoch)
    }
  })

  it('is gone on with by a server that knows its fleet, and whose machines know it', async () => {
    await using remuda = await Remuda.start()
    await remuda.ask('POST', 'environments', { id: 'production' })
    const { token } = await remuda.ask<{ token: string }>('POST', 'tokens', { name: 'ci', scope: 'read' })
    const join = await remuda.joinToken('production', ['web'])
    remuda.startAgent('web-1', ['--token', join, '--role', 'web'])
    const machine = await until('the machine is healthy', limitMs, () => healthy(remuda))
    await remuda.server!.end()

    const [from, to] = [`sqlite:${remuda.data}/remuda.db`, server.url({ schema: server.name() })]
    const { events, sha256 } = await copied(from, to)
    expect(await verified(to)).toMatchObject({ events, sha256, problems: [], unknown: {} })
    await remuda.startServer(['--store-url', to])
    const after = await until('the machine is back', limitMs, () => healthy(remuda))
    expect(after).toMatchObject({ id: machine.id, registeredAt: machine.registeredAt })
    const { items } = await remuda.ask<{ items: EventRow[] }>('GET', 'events?limit=1000')
    expect(items.length).toBeGreaterThan(events)
    expect(items.map(({ type }) => type)).not.toContain('MachineDeregistered')
    const authorization = `Bearer ${token}`
    expect((await fetch(`${remuda.url}/v1/machines`, { headers: { authorization } })).status).toBe(200)
  })
})

/** A store with a fact of every type and many more, in commits of many sizes, and with reactors that got somewhere. */
async function makeStore(path: string): Promise<void> {
  await using store = await openSqliteStore({ path, clock })
  for (const [version, fact] of goldenFacts.entries()) await mustAppend(store, 'golden', version, fact)
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: streams }, (_, number) => mustAppend(store, `stream-${number}`, round, noted(number))),
    )
    await pause(1)
  }
  await store.saveCheckpoint('relay', eventCount)
  await store.saveCheckpoint('policy.v1', goldenFacts.length)
}

/** Read beside the process that writes, as only somebody who looks may. */
async function headOfFile(path: string): Promise<number> {
  try {
    using db = new DatabaseSync(path, { readOnly: true })
    return Number(db.prepare('SELECT max(position) AS head FROM events').get()?.['head'] ?? 0)
  } catch {
    // Not there yet, or just being made.
    return 0
  }
}

const checkpointsOf = async (store: EventStore) =>
  (await store.listCheckpoints()).toSorted((one, other) => one.position - other.position)

async function healthy(remuda: Remuda): Promise<MachineRow | undefined> {
  const { items } = await remuda.ask<{ items: MachineRow[] }>('GET', 'machines?status=healthy')
  return items[0]
}
