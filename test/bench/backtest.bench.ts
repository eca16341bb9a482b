import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, healthStream, machineStream } from '#contracts/subjects.ts'
import { isRefusal } from '#libs/decider.ts'
import { openSqliteStore } from '#libs/store/sqlite.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock } from '#libs/systemClock.ts'
import { backtest } from '#services/policy/backtest/backtest.ts'
import { backtestDefaults as settings } from '#services/policy/backtest/settings.ts'
import { createDice } from '#test/support/dice.ts'
import { compare, perSecond, scaled } from './harness.ts'

const environmentId = 'production'
const machines = scaled(10_000, 1_000)
const transitions = scaled(1_000_000, 20_000)
const minuteMs = 60_000
const days = 30
const startMs = Date.UTC(2026, 0, 1)
const endMs = startMs + days * 86_400_000
/** One silence in a hundred lasts so long that the policy has something to do with it. */
const longShare = 0.01
const adoptedMax = 1_000

const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
console.log(`recording ${transitions.toLocaleString('en')} transitions of ${machines.toLocaleString('en')} machines`)
await using store = await openSqliteStore({ path: join(folder, 'store.db'), clock: systemClock })
await record(store)
const events = await store.head()

const tried = EnvironmentPolicy.parse({ dynamicRegistration: { removeAfterMs: '5m' }, guard: { share: 0.1 } })
let longestTurnMs = 0
let heapBytes = 0
await compare({
  title: `backtest of ${days} days, ${events.toLocaleString('en')} events in SQLite`,
  unit: 'events/s',
  rounds: scaled(3, 2),
  candidates: {
    backtest: () => perSecond(events, tryPolicy),
    'reading the same pages': () => perSecond(events, readAll),
  },
  // A million transitions in ten seconds; and to think of what is read costs no more than twice the reading.
  targets: [
    { of: 'backtest', atLeast: 100_000 },
    { of: 'backtest', against: 'reading the same pages', atLeast: 0.33 },
  ],
})
console.log(`  processor time of the longest turn, in which nothing else could run: ${longestTurnMs.toFixed(0)} ms`)
console.log(`  heap above that before, at most and with garbage: ${(heapBytes / 1_048_576).toFixed(0)} MB`)
rmSync(folder, { recursive: true })

async function tryPolicy(): Promise<void> {
  const watch = watchTurns()
  const question = { environmentId, policy: tried, fromAt: startMs, toAt: endMs }
  const { signal } = new AbortController()
  const reply = await backtest(question, { store, clock: systemClock, settings, sweepMs: 1_000, signal })
  watch.stop()
  if (isRefusal(reply)) throw new Error(reply.detail)
  if (reply.proposed.removed.count === 0) throw new Error('nobody was removed, so nothing was measured')
}

/** Looks at every turn of the event loop: processor time counts, since others may use the machine as well. */
function watchTurns() {
  const heapBefore = process.memoryUsage().heapUsed
  let last = process.cpuUsage()
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(last)
    longestTurnMs = Math.max(longestTurnMs, (user + system) / 1_000)
    last = process.cpuUsage()
    heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed - heapBefore)
  }, 1)
  return { stop: () => clearInterval(timer) }
}

async function readAll(): Promise<void> {
  for (let position = 0; position < events;) {
    const page = await store.readAll(position, settings.pageEventsMax)
    position = page.at(-1)!.meta.position
  }
}

async function record(into: EventStore): Promise<void> {
  let page: Recorded[] = []
  for (const event of history()) {
    page.push(event)
    if (page.length < adoptedMax) continue
    await into.adopt(page)
    page = []
  }
  if (page.length > 0) await into.adopt(page)
}

/** Machines that fall silent one after another, all the time, and are heard again after minutes or hours. */
function* history(): Generator<Recorded> {
  const versions = new Map<string, number>()
  let events = 0
  const happened = (stream: string, type: string, atMs: number, data: object): Recorded => {
    const version = (versions.get(stream) ?? 0) + 1
    versions.set(stream, version)
    const cause = { actor: 'bench', commandId: `c-${(events += 1)}`, correlationId: 'bench', causationId: null }
    const meta = { id: `e-${events}`, stream, version, position: events, at: atMs, ...cause }
    return { type, data, meta } satisfies Recorded
  }
  const policy = EnvironmentPolicy.parse({})
  const environment = { environmentId, name: environmentId, policy, policyVersion: 1 }
  yield happened(environmentStream(environmentId), 'EnvironmentCreated', startMs, environment)
  for (let machine = 0; machine < machines; machine++) {
    const machineId = `m-${machine}`
    const who = { machineId, name: machineId, environmentId, roles: ['web'], attributes: { zone: `z-${machine % 3}` } }
    const data = { ...who, facts: null, publicKey: null, enrollmentId: null, returnedFrom: null }
    yield happened(machineStream(machineId), 'MachineRegistered', startMs, data)
  }
  for (const { machine, type, atMs } of blinks()) {
    const machineId = `m-${machine}`
    const silence = { lastHeardAt: atMs - minuteMs, silentMs: minuteMs, thresholdMs: minuteMs, observerId: 'health' }
    const evidence = { kind: type === 'MachineBecameHealthy' ? 'heartbeat' : 'heartbeat-missing', ...silence }
    yield happened(healthStream(machineId), type, atMs, { machineId, at: atMs, evidence, previous: 'unknown' })
  }
}

interface Blink {
  readonly machine: number
  readonly type: 'MachineBecameUnavailable' | 'MachineBecameHealthy'
  readonly atMs: number
}

function blinks(): readonly Blink[] {
  const dice = createDice(1)
  const all: Blink[] = []
  const perMachine = Math.floor(transitions / 2 / machines)
  const spanMs = (endMs - startMs) / perMachine
  for (let machine = 0; machine < machines; machine++)
    for (let turn = 0; turn < perMachine; turn++) {
      const fromMs = Math.round(startMs + (turn + dice.chance() * 0.4) * spanMs)
      const shortMs = 20_000 + dice.chance() * 3.5 * minuteMs
      const forMs = Math.round(dice.chance() < longShare ? dice.chance() * 0.5 * spanMs : Math.min(shortMs, spanMs / 2))
      all.push({ machine, type: 'MachineBecameUnavailable', atMs: fromMs })
      all.push({ machine, type: 'MachineBecameHealthy', atMs: fromMs + forMs })
    }
  return all.toSorted((a, b) => a.atMs - b.atMs)
}
