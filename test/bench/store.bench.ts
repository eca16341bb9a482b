import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock } from '#libs/systemClock.ts'
import { compare, percentile, perSecond, scaled } from './harness.ts'
import { nextAppend, rawLoop, usualSchema } from './storeBaselines.ts'

const stored = scaled(1_000_000, 100_000)
const streams = scaled(100_000, 10_000)
const callers = 256
const perRound = scaled(callers * 200, callers * 40)
const rounds = scaled(9, 2)

const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
const file = (name: string) => join(folder, name)

console.log(`filling ${stored.toLocaleString('en')} events over ${streams.toLocaleString('en')} streams`)
const versions = new Uint32Array(streams)
await fill()
copyFileSync(file('store.db'), file('raw.db'))

await append()
await replay()
rmSync(folder, { recursive: true })

async function fill(): Promise<void> {
  await using store = await openSqliteStore({ path: file('store.db'), clock: systemClock })
  const together = 4_000
  for (let number = 0; number < stored; number += together)
    await Promise.all(
      Array.from({ length: Math.min(together, stored - number) }, (_, index) => appendNext(store, number + index)),
    )
}

function appendNext(store: EventStore, number: number): Promise<unknown> {
  const { stream, version, fact, cause } = nextAppend(number, versions)
  return store.append(stream, version, [fact], cause)
}

async function append(): Promise<void> {
  await using store = await openSqliteStore({ path: file('store.db'), clock: systemClock })
  const raw = rawLoop(file('raw.db'))
  const usual = usualSchema(file('usual.db'), stored, streams)
  const waitsMs: number[] = []
  let number = stored

  const caller = async (until: number) => {
    while (number < until) await appendNext(store, number++)
  }
  // A few of the callers take the time, so that taking it costs the store next to nothing.
  const timedCaller = async (until: number) => {
    while (number < until) {
      const startedMs = performance.now()
      await appendNext(store, number++)
      waitsMs.push(performance.now() - startedMs)
    }
  }
  const allCallers = (until: number) =>
    Promise.all(Array.from({ length: callers }, (_, index) => (index % 16 === 0 ? timedCaller : caller)(until)))
  await compare({
    title: `P1 durable append, ${callers} callers, ${stored.toLocaleString('en')} events stored`,
    unit: 'events/s',
    rounds,
    candidates: {
      store: () => perSecond(perRound, () => allCallers(number + perRound)),
      'raw loop': () => perSecond(perRound, () => raw.append(perRound, callers)),
      'usual schema': () => perSecond(perRound, () => usual.append(perRound, callers)),
    },
    targets: [
      { of: 'store', against: 'raw loop', atLeast: 0.8 },
      { of: 'store', against: 'usual schema', atLeast: 5 },
    ],
  })
  const [half, most] = [percentile(waitsMs, 50), percentile(waitsMs, 99)]
  console.log(`  store: an append waits ${half.toFixed(2)} ms (p50), ${most.toFixed(2)} ms (p99)`)
  if ((await store.head()) !== number) throw new Error('an append was lost, or met a conflict where there can be none')
  raw.close()
  usual.close()
}

async function replay(): Promise<void> {
  await using store = await openSqliteStore({ path: file('store.db'), clock: systemClock })
  const db = new DatabaseSync(file('store.db'), { readOnly: true })
  const texts = db
    .prepare('SELECT data, meta FROM events WHERE position <= ?')
    .all(stored)
    .map((row) => [row['data'], row['meta']] as [string, string])
  db.close()

  const parseAll = () => {
    for (const [data, meta] of texts) {
      JSON.parse(data)
      JSON.parse(meta)
    }
  }
  const followAll = async () => {
    const stop = new AbortController()
    let seen = 0
    for await (const page of store.follow(0, stop.signal)) if ((seen += page.length) >= stored) stop.abort()
  }
  await compare({
    title: `P3 replay of ${stored.toLocaleString('en')} events`,
    unit: 'events/s',
    candidates: { store: () => perSecond(stored, followAll), 'JSON.parse alone': () => perSecond(stored, parseAll) },
    targets: [{ of: 'store', against: 'JSON.parse alone', atLeast: 0.5 }],
  })
}
