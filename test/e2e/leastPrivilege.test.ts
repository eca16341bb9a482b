import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { serviceNames, type ServiceName } from '#contracts/command.ts'
import type { DeploymentRow, MachineRow } from '#contracts/rows.ts'
import { repository } from '#test/deploy/repository.ts'
import { ShippedNats } from '#test/deploy/shippedNats.ts'
import { PostgresServer } from '#test/support/postgres.ts'
import { postgresPrograms } from '#test/support/postgresPrograms.ts'
import { Running, until } from '#test/support/remuda.ts'
import { findNats } from '#test/support/servers.ts'
import { inboxPrefixOf } from '../../deploy/nats/permissions.ts'

const nats = await findNats()
const limitMs = 90_000
const adminToken = 'an-admin-token-for-this-test'
const pace = {
  health: { heartbeatEveryMs: '500ms', lateAfterMs: '1500ms', unavailableAfterMs: '3s' },
  dynamicRegistration: { enabled: true, removeAfterMs: '4s', startUpGraceMs: 0 },
  automaticDeployments: { enabled: true, quietMs: '1s', waitMaxMs: '5s' },
}

/** Every service as a process and a user of its own, on the bus as it is shipped and a store for all of them. */
class Cluster implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack()
  readonly #processes = new Map<string, Running>()
  readonly #folder: string
  readonly #bus: ShippedNats
  readonly #storeUrl: string

  private constructor(folder: string, bus: ShippedNats, storeUrl: string) {
    this.#folder = folder
    this.#bus = bus
    this.#storeUrl = storeUrl
  }

  static async start(): Promise<Cluster> {
    await using stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'remuda-cluster-'))
    stack.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    const bus = stack.use(await ShippedNats.start(nats!))
    const store = stack.use(await PostgresServer.create())
    const cluster = stack.use(new Cluster(folder, bus, store.url()))
    // The relay makes the bucket of leases, which the others may only use.
    await cluster.#serve('relay')
    await Promise.all(serviceNames.filter((name) => name !== 'relay').map((name) => cluster.#serve(name)))
    cluster.#stack.use(stack.move())
    return cluster
  }

  urlOf(name: ServiceName): string {
    return /(http:\/\/127\.0\.0\.1:\d+)\//.exec(this.#processes.get(name)!.output)![1]!
  }

  agent(name: string, token: string): Running {
    const data = join(this.#folder, name)
    const flags = ['--server', this.urlOf('gateway'), '--token', token, '--name', name, '--role', 'web', '--data', data]
    return this.#run(name, 'services/agent/main.ts', flags)
  }

  async ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const response = await fetch(`${this.urlOf('query')}/v1/${path}`, { method, headers, ...sent })
    const answer = (await response.json()) as Body
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
    return answer
  }

  /** What NATS refused, by its own words and by those of the processes. */
  refusals(): readonly string[] {
    const lines = [...this.#processes.values()].flatMap(({ output }) => output.split('\n'))
    return [...this.#bus.refusals(), ...lines.filter((line) => line.includes('refuses something'))]
  }

  /** All that was said, for those who look for why something did not happen. */
  said(): string {
    return [...this.#processes].map(([name, { output }]) => `== ${name}\n${output}`).join('\n')
  }

  async #serve(name: ServiceName): Promise<void> {
    const own = ['--services', name, '--data', join(this.#folder, name), '--host', '127.0.0.1', '--port', '0']
    const store = ['--store-url', this.#storeUrl, '--log-level', 'warn', '--admin-token', adminToken]
    const bus = ['--bus-url', this.#bus.url, '--nats-nkey', this.#bus.seedOf(name), '--nats-allow-old']
    const inbox = ['--nats-inbox-prefix', inboxPrefixOf(name)]
    const running = this.#run(name, 'services/main.ts', [...own, ...store, ...bus, ...inbox])
    await until(`${name} is ready`, limitMs, async () => {
      if (running.ended) throw new Error(`${name} ended:\n${running.output}`)
      return running.output.includes('is ready')
    })
  }

  #run(name: string, main: string, flags: readonly string[]): Running {
    const running = new Running(join(repository, main), flags)
    this.#processes.set(name, running)
    return running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.values()].map((running) => running.end()))
    await this.#stack.disposeAsync()
  }
}

describe.skipIf(nats === null || postgresPrograms === null)('each service as its own user of NATS', () => {
  it('may do all that it has to, and is refused nothing that it tries', { timeout: 300_000 }, async () => {
    await using cluster = await Cluster.start()
    const machines = async () => (await cluster.ask<{ items: MachineRow[] }>('GET', 'machines')).items
    const healthy = (names: string) =>
      until(`${names} are healthy: ${cluster.said()}`, limitMs, async () => {
        const found = (await machines()).filter(({ status }) => status === 'healthy').map(({ name }) => name)
        return found.toSorted().join() === names
      })
    const ended = ({ id, position }: { id: string; position: number }) =>
      until(`${id} has ended: ${cluster.said()}`, limitMs, async () => {
        const row = await cluster.ask<DeploymentRow>('GET', `deployments/${id}?minPosition=${position}`)
        return row.endedAt !== null && row
      })
    const deploy = async (projectId: string, steps: readonly unknown[], machineId: string) => {
      await cluster.ask('POST', 'projects', { id: projectId })
      await cluster.ask('PUT', `projects/${projectId}/process`, { steps })
      await cluster.ask('POST', `projects/${projectId}/releases`, { version: '1.0.0' })
      const wanted = { projectId, version: '1.0.0', environmentId: 'production', machines: [machineId] }
      return ended(await cluster.ask('POST', 'deployments', wanted))
    }

    await cluster.ask('POST', 'environments', { id: 'production', policy: pace })
    const wanted = { environmentId: 'production', roles: ['web'], usesMax: 10 }
    const { token } = await cluster.ask<{ token: string }>('POST', 'enrollments', wanted)
    cluster.agent('web-1', token)
    await healthy('web-1')
    const [{ id: machineId }] = (await machines()) as [MachineRow]
    const checked = await cluster.ask<{ status: string }>('POST', `machines/${machineId}/check`, {})
    expect(checked).toMatchObject({ status: 'healthy' })
    const install = { id: 'install', kind: 'script', script: 'echo installing' }
    expect((await deploy('shop', [install], machineId)).state).toBe('succeeded')

    // Newcomers get the release by themselves: policy asks deployment.
    const late = cluster.agent('web-2', token)
    cluster.agent('web-3', token)
    await healthy('web-1,web-2,web-3')
    await until(`the newcomers have the release: ${cluster.said()}`, limitMs, async () => {
      const { items } = await cluster.ask<{ items: DeploymentRow[] }>('GET', 'deployments')
      return items.some(({ kind, state }) => kind === 'automatic' && state === 'succeeded')
    })

    // One that falls silent is removed: policy asks health and the registry.
    await late.end('SIGKILL')
    await until(`web-2 is removed: ${cluster.said()}`, limitMs, async () => (await machines()).length === 2)

    // A deployment that takes a machine out: deployment asks the registry.
    const name = { id: 'name', kind: 'script', script: 'echo "gone=web-3" >> "$REMUDA_OUTPUT"' }
    const takeOut = { id: 'take-out', kind: 'deregister-machines', from: { output: 'name.gone' } }
    expect(await deploy('retire', [name, takeOut], machineId)).toMatchObject({ state: 'succeeded', reason: null })
    await until(`web-3 is removed: ${cluster.said()}`, limitMs, async () => (await machines()).length === 1)

    expect(cluster.refusals()).toEqual([])
  })
})
