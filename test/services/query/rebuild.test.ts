import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { startQuery, type Query } from '#services/query/service.ts'
import { cause } from '#test/services/registry/platform.ts'
import { faultyBus } from '#test/support/faultyBus.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'
import { stories, streamOfEachFact } from './stories.ts'

/** Everything that the read model holds, in an order that does not tell how it was filled. */
function contentsOf({ reader }: Query) {
  const tables = reader
    .rows(`SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'checkpoints'`)
    .map(([name]) => String(name))
  return tables.sort().map((table) => {
    const columns = reader.rows('SELECT name FROM pragma_table_info(?)', table).map(([name]) => String(name))
    const where = table === 'counts' ? 'WHERE n <> 0' : ''
    return [
      table,
      reader.rows(`SELECT ${columns.filter((name) => name !== 'id').join()} FROM ${table} ${where} ORDER BY 1, 2`),
    ]
  })
}

type Happening =
  | { readonly kind: 'fact'; readonly stream: string }
  | { readonly kind: 'pause' }
  | { readonly kind: 'restart' }
const happenings = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constant('fact' as const), stream: fc.constantFrom(...streamOfEachFact) }),
    },
    { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'pause' }) },
    { weight: 1, arbitrary: fc.constant<Happening>({ kind: 'restart' }) },
  ),
  { minLength: 20, maxLength: 2 * streamOfEachFact.length },
)

async function holds(course: readonly Happening[], seed: number): Promise<void> {
  const clock = createVirtualClock({ seed })
  const log = silentLog
  const store = openMemoryStore({ clock })
  const bus = faultyBus(createMemoryBus({ clock, log }), clock, { lose: 0.1, double: 0.1, delay: 0.1 }, seed)
  const platform: Platform = { store, bus, clock, log, ask: createAsk(bus, { timeoutMs: 1_000 }) }
  const folder = mkdtempSync(join(tmpdir(), 'remuda-rebuild-'))
  const settings = { databaseFile: join(folder, 'query.db'), version: '1' }
  const relay = startRelay(platform)
  let query = await startQuery(platform, settings)

  for (const happening of course) {
    if (happening.kind === 'pause') await clock.advance(50)
    else if (happening.kind === 'restart') {
      await query[Symbol.asyncDispose]()
      query = await startQuery(platform, settings)
    } else {
      const { version } = await store.read(happening.stream)
      const fact = stories[happening.stream]?.[version]
      if (fact) await store.append(happening.stream, version, [fact], cause())
    }
  }
  const head = await store.head()
  expect(await clock.run(() => query.position >= head, 60_000)).toBe(true)
  const rebuilt = await startQuery(platform, { ...settings, databaseFile: ':memory:' })
  expect(await clock.run(() => rebuilt.position >= head, 60_000)).toBe(true)
  const [live, fresh] = [contentsOf(query), contentsOf(rebuilt)]

  for (const one of [rebuilt, query, relay]) await one[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
  expect(live).toEqual(fresh)
}

it(
  'holds the same when it is rebuilt, however facts of different streams fell between each other and it was stopped',
  () => fc.assert(fc.asyncProperty(happenings, fc.nat(), holds), { numRuns: 12 }),
  60_000,
)

it('holds every fact of the whole story, also when it is stopped after each', async () => {
  const course = streamOfEachFact.map((stream) => ({ kind: 'fact' as const, stream }))
  await holds(course, 1)
  await holds(
    course.toReversed().flatMap((fact) => [fact, { kind: 'pause' }, { kind: 'restart' }]),
    2,
  )
}, 60_000)
