import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNatsBus } from '#libs/bus/nats.ts'
import { silentLog as log } from '#libs/log.ts'
import { openStore } from '#libs/store/open.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { PostgresServer } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { findNats, NatsServer } from '#test/support/servers.ts'
import { compare, median, scaled } from './harness.ts'
import { HealthReplicas, type Beaten } from './healthReplicas.ts'
import { ReactionPath } from './reactionPath.ts'

const arrivals = scaled(200, 10)
const machines = scaled(20_000, 500)
const seconds = scaled(10, 1)
const restSeconds = scaled(6, 1)

const program = await findNats()
if (program === null || postgresPrograms === null) console.log('SKIPPED: the cluster needs nats-server and PostgreSQL.')
else {
  await using postgres = await PostgresServer.create()
  await reaction(program, postgres)
  await replicas(program, postgres)
}

/** The same services on the same way, once within a process, and once with every word between them carried by NATS. */
async function reaction(nats: string, postgres: PostgresServer): Promise<void> {
  await using folders = new AsyncDisposableStack()
  const dataFolder = folders.adopt(mkdtempSync(join(tmpdir(), 'remuda-bench-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  )
  /** Not as servers open it: a command that is answered in the same process would never see NATS. */
  const overNats = (open: () => Promise<EventStore>) =>
    ReactionPath.start(async (stack) => {
      const { url } = stack.use(await NatsServer.start(nats))
      const store = stack.use(await open())
      return { store, bus: stack.use(await openNatsBus(url, { clock, log, allowOldServer: true })) }
    })
  await using embedded = await ReactionPath.start()
  await using onSqlite = await overNats(() => openStore('sqlite:', { clock, dataFolder }))
  await using onPostgres = await overNats(() => openStore(postgres.url({ schema: 'reaction' }), { clock, dataFolder }))
  await compare({
    title: 'P6 a machine registers and its first task is handed out, one at a time, p50',
    unit: 'ms',
    candidates: {
      embedded: () => p50(() => embedded.arrive()),
      'NATS + SQLite': () => p50(() => onSqlite.arrive()),
      'NATS + PostgreSQL': () => p50(() => onPostgres.arrive()),
      'two commits, SQLite': () => p50(() => embedded.commitTwice()),
      'two commits, PostgreSQL': () => p50(() => onPostgres.commitTwice()),
    },
    targets: [
      { of: 'NATS + PostgreSQL', against: 'embedded', atMost: 4 },
      { of: 'NATS + SQLite', against: 'embedded', atMost: 4 },
    ],
  })
}

async function p50(work: () => Promise<unknown>): Promise<number> {
  const tookMs: number[] = []
  for (let turn = 0; turn < arrivals; turn++) {
    const startedMs = performance.now()
    await work()
    tookMs.push(performance.now() - startedMs)
  }
  return median(tookMs)
}

async function replicas(nats: string, postgres: PostgresServer): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const start = async (count: number): Promise<Measured> => {
    const storeUrl = postgres.url({ schema: `replicas_${count}` })
    const fleet = stack.use(await HealthReplicas.start({ program: nats, storeUrl, replicas: count, machines }))
    return { count, fleet, all: [] }
  }
  const [one, two, four] = [await start(1), await start(2), await start(4)]
  await compare({
    title: `${machines.toLocaleString('en')} machines shared out among replicas of health: hearing, by the busiest of them`,
    unit: 'ms of processor time/s',
    candidates: { 'the only one': () => hearing(one), 'of 2': () => hearing(two), 'of 4': () => hearing(four) },
    targets: [
      { of: 'of 2', against: 'the only one', atMost: 0.65 },
      { of: 'of 4', against: 'the only one', atMost: 0.4 },
    ],
    rounds: scaled(3, 1),
  })
  for (const measured of [one, two, four]) console.log(`  ${summary(measured)}`)
  console.log('  All in processor time: on few processors more replicas cannot be quicker by the clock.')
}

interface Measured {
  readonly count: number
  readonly fleet: HealthReplicas
  readonly all: { readonly beaten: Beaten; readonly idleMs: number }[]
}

/** What hearing costs the replica that has most to do, above what it costs that it is there. */
async function hearing({ fleet, all }: Measured): Promise<number> {
  // Those who were not spoken to since the last turn have to find their feet first.
  await fleet.rest(1)
  const idleMs = busiestMs(await fleet.rest(restSeconds))
  await fleet.beat(1)
  const beaten = await fleet.beat(seconds)
  await fleet.expectAllHealthy()
  all.push({ beaten, idleMs })
  return busiestMs(beaten) - idleMs
}

function summary({ count, all }: Measured): string {
  const of = (figure: (each: Measured['all'][number]) => number) => median(all.map(figure))
  const rate = (figure: number) => figure.toLocaleString('en', { maximumSignificantDigits: 3 })
  const offered = of(({ beaten }) => beaten.heartbeats / beaten.seconds)
  const served = of(({ beaten }) => beaten.heartbeats / total(beaten.cpuSeconds))
  const share = of(({ beaten }) => Math.max(...beaten.cpuSeconds) / total(beaten.cpuSeconds))
  const [busyMs, idleMs] = [of(({ beaten }) => busiestMs(beaten)), of((each) => each.idleMs)]
  return [
    `${count} of them, offered ${rate(offered)}/s: ${rate(served)} heartbeats/s of all processor time`,
    `the busiest has ${(share * 100).toFixed(0)} % of it, ${busyMs.toFixed(0)} ms/s, and ${idleMs.toFixed(0)} ms/s at rest`,
  ].join('; ')
}

function busiestMs({ cpuSeconds, seconds: took }: Beaten): number {
  return (Math.max(...cpuSeconds) / took) * 1_000
}

function total(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0)
}
