import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partitionOf, partitionsMax } from '#contracts/partitions.ts'
import type { HeartbeatSignal } from '#contracts/signals.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { openNatsBus } from '#libs/bus/nats.ts'
import { connectToNats } from '#libs/bus/nats/connect.ts'
import { natsDefaults } from '#libs/bus/nats/options.ts'
import { createNatsTable } from '#libs/leases/natsTable.ts'
import { silentLog } from '#libs/log.ts'
import { openPostgresStore } from '#libs/store/postgres.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { addressIn, serverMain } from '#services/cli/demo/controlPlane.ts'
import { gatewayDefaults } from '#services/gateway/settings.ts'
import { Running, until } from '#test/support/remuda.ts'
import { NatsServer } from '#test/support/servers.ts'
import { registerMachines } from './registeredMachines.ts'

const startWithinMs = 120_000
const { flushMs } = gatewayDefaults
/**
 * In how many batches every machine is heard once. A real one is heard every 10 s; here it is about as often as a gateway
 * passes on, so that it is the hearing that costs.
 */
const turns = 3
const nats = { ...natsDefaults, clock, log: silentLog, allowOldServer: true }

/** Longer than a rest, and shorter than a rest and a measurement, so that who is not heard in the latter shows. */
const health = { heartbeatEveryMs: 1_000, lateAfterMs: 10_000, unavailableAfterMs: 12_000 }

export interface ReplicasOptions {
  readonly program: string
  readonly storeUrl: string
  readonly replicas: number
  readonly machines: number
}

export interface Beaten {
  readonly heartbeats: number
  readonly seconds: number
  /** Processor time of each replica. */
  readonly cpuSeconds: readonly number[]
}

/** Which machines of a partition are named in a batch. */
type Choose = (machineIds: readonly string[], turn: number) => readonly string[]

/** Processes of the health service that share out the machines, and one who plays the gateway of all of these. */
export class HealthReplicas implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly #bus: Bus
  readonly #store: EventStore
  readonly #processes: readonly Running[]
  /** The machines of each partition. */
  readonly #partitions: readonly (readonly string[])[]
  readonly #machineCount: number

  private constructor(
    stack: AsyncDisposableStack,
    { bus, store, processes }: { bus: Bus; store: EventStore; processes: readonly Running[] },
    machineIds: readonly string[],
  ) {
    this.#stack = stack
    this.#bus = bus
    this.#store = store
    this.#processes = processes
    this.#machineCount = machineIds.length
    const byPartition = Map.groupBy(machineIds, (machineId) => partitionOf(machineId, partitionsMax))
    this.#partitions = Array.from({ length: partitionsMax }, (_, partition) => byPartition.get(partition) ?? [])
  }

  /** Returns once the replicas have shared the partitions out evenly and every machine was heard. */
  static async start({ program, storeUrl, replicas, machines }: ReplicasOptions): Promise<HealthReplicas> {
    await using stack = new AsyncDisposableStack()
    const server = stack.use(await NatsServer.start(program))
    const store = stack.use(await openPostgresStore({ url: storeUrl, clock }))
    const machineIds = await registerMachines(store, machines, health)
    const flags = ['--store-url', storeUrl, '--bus-url', server.url, '--nats-allow-old']
    const processes = Array.from({ length: replicas }, () => launch(stack, flags))
    for (const running of processes)
      await until('a replica is up', startWithinMs, async () => {
        if (running.ended) throw new Error(`a replica ended:\n${running.output}`)
        return addressIn(running.output)
      })
    await sharedOut(server.url, replicas)
    const bus = stack.use(await openNatsBus(server.url, nats))
    const fleet = new HealthReplicas(stack.move(), { bus, store, processes }, machineIds)
    await fleet.#allHeard()
    return fleet
  }

  /** Lets every machine be heard all the time, in the batches of a gateway. */
  beat(seconds: number): Promise<Beaten> {
    return this.#measure(seconds, (machineIds, turn) => {
      const [from = 0, to = 0] = [turn, turn + 1].map((at) => Math.floor((machineIds.length * at) / turns))
      return machineIds.slice(from, to)
    })
  }

  /** The same without a single heartbeat: what replicas cost by being there. */
  rest(seconds: number): Promise<Beaten> {
    return this.#measure(seconds, () => [])
  }

  /** @throws when a machine counts as unavailable, though it was heard all the time */
  async expectAllHealthy(): Promise<void> {
    const { healthy, unavailable } = await this.#recorded()
    if (healthy !== this.#machineCount || unavailable > 0)
      throw new Error(`${healthy} of ${this.#machineCount} machines became healthy, ${unavailable} unavailable`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #measure(seconds: number, choose: Choose): Promise<Beaten> {
    const before = this.#cpuSeconds()
    const startedMs = performance.now()
    let heartbeats = 0
    for (let batch = 0; batch < (seconds * 1_000) / flushMs; batch++) {
      heartbeats += this.#speak((machineIds) => choose(machineIds, batch % turns))
      await clock.sleep(Math.max(0, startedMs + (batch + 1) * flushMs - performance.now()))
    }
    const tookSeconds = (performance.now() - startedMs) / 1_000
    const cpuSeconds = this.#cpuSeconds().map((after, replica) => after - before[replica]!)
    return { heartbeats, seconds: tookSeconds, cpuSeconds }
  }

  /** @returns how many machines were heard */
  #speak(choose: (machineIds: readonly string[]) => readonly string[]): number {
    let count = 0
    for (const [partition, all] of this.#partitions.entries()) {
      const signal: HeartbeatSignal = { gatewayId: 'bench', machineIds: choose(all), closed: [] }
      this.#bus.publish(heartbeatSignal(partition), signal)
      count += signal.machineIds.length
    }
    return count
  }

  async #allHeard(): Promise<void> {
    await until('every machine was heard', startWithinMs, async () => {
      await this.beat(1)
      return (await this.#recorded()).healthy >= this.#machineCount
    })
  }

  async #recorded(): Promise<{ healthy: number; unavailable: number }> {
    const count = { healthy: 0, unavailable: 0 }
    const pageMax = 10_000
    for (let after = 0; ;) {
      const page = await this.#store.readAll(after, pageMax)
      for (const { type } of page) {
        if (type === 'MachineBecameHealthy') count.healthy++
        if (type === 'MachineBecameUnavailable') count.unavailable++
      }
      if (page.length < pageMax) return count
      after = page.at(-1)!.meta.position
    }
  }

  #cpuSeconds(): readonly number[] {
    return this.#processes.map(({ child }) => cpuSecondsOf(child.pid ?? Number.NaN))
  }
}

function launch(stack: AsyncDisposableStack, flags: readonly string[]): Running {
  const data = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
  stack.defer(() => rmSync(data, { recursive: true, force: true }))
  const own = ['--services', 'health', '--port', '0', '--data', data, '--log-level', 'warn']
  const running = new Running(serverMain, [...own, ...flags])
  stack.defer(async () => void (await running.end()))
  return running
}

/** User and system time of all threads, as Linux counts it: in hundredths of a second. */
function cpuSecondsOf(pid: number): number {
  const ticksPerSecond = 100
  const [userAt, systemAt] = [11, 12]
  // The name of the program comes first, in brackets, and may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[userAt]) + Number(fields[systemAt])) / ticksPerSecond
}

async function sharedOut(url: string, replicas: number): Promise<void> {
  const connection = await connectToNats(url, { ...nats, access: {}, retryMs: () => flushMs })
  await using table = createNatsTable(connection)
  await until('the partitions are shared out', startWithinMs, async () => {
    const { roster } = await table.read('health')
    const held = Map.groupBy(Object.values(roster.holders), (holder) => holder)
    return held.size === replicas && [...held.values()].every(({ length }) => length === partitionsMax / replicas)
  })
}
