import { expect } from 'vitest'
import type { DeploymentRow } from '#contracts/rows.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { createClient } from '#services/cli/client.ts'
import { Cluster } from '#services/cli/demo/cluster/cluster.ts'
import { ended, environmentId, fleetOf, projectId, type Fleet } from '#services/cli/demo/fleet.ts'
import { Stage } from '#services/cli/demo/stage.ts'
import { until } from './remuda.ts'

const readyMs = 120_000
const endMs = 90_000
const stepIds = ['one', 'two', 'three', 'four', 'five']
const window = 10
const version = '1.0.0'

// Each step writes a line of its own: what ran twice is there twice, whatever anybody says.
const script = 'echo "$REMUDA_DEPLOYMENT_ID $REMUDA_STEP" >> "$HOME/ran.log"; sleep 0.3'
const policy = {
  health: { heartbeatEveryMs: '500ms', lateAfterMs: '30s', unavailableAfterMs: '60s' },
  automaticDeployments: { enabled: false },
}

const never = new AbortController().signal

/** Two processes of each service, NATS and PostgreSQL, and real agents that get real deployments. */
export class ClusterFleet implements AsyncDisposable {
  readonly names: readonly string[]
  readonly #stage: Stage<Cluster>
  readonly #fleet: Fleet
  readonly #deployed: string[] = []

  private constructor(stage: Stage<Cluster>, names: readonly string[]) {
    this.#stage = stage
    this.names = names
    const { url, adminToken } = stage.plane
    this.#fleet = fleetOf(createClient({ server: url, token: adminToken, clock, attemptsMax: 10 }))
  }

  static async start(machineCount: number): Promise<ClusterFleet> {
    const stage = await Stage.build(clock, (folder) =>
      Cluster.start(clock, { folder, port: 0, hasWorker: false, stop: never }),
    )
    const fleet = new ClusterFleet(
      stage,
      Array.from({ length: machineCount }, (_, index) => `web-${index + 1}`),
    )
    try {
      await fleet.#prepare()
      return fleet
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get cluster(): Cluster {
    return this.#stage.plane
  }

  get<Body>(address: string): Promise<Body> {
    return this.#fleet.client.get<Body>(address)
  }

  /** Deploys to all machines, a window at a time; behind what is already running. */
  async deploy(): Promise<string> {
    const id = await this.#fleet.deploy(version)
    this.#deployed.push(id)
    return id
  }

  /** Resolves when the deployment is in its middle. */
  async isUnderWay(id: string): Promise<void> {
    const isMiddle = ({ steps }: DeploymentRow) => steps[1]?.state === 'running'
    await until('a deployment is under way', endMs, async () => isMiddle(await this.#fleet.deployment(id)))
  }

  /** Everything that was ever deployed ends well on every machine, and each of its steps ran once there. */
  async expectAllDeployedOnce(): Promise<void> {
    const rows = await until('every deployment has ended', endMs, async () => {
      const all = await Promise.all(this.#deployed.map((id) => this.#fleet.deployment(id)))
      return all.every(ended) && all
    })
    for (const row of rows) {
      expect(row.state, row.reason ?? '').toBe('succeeded')
      expect(row.targets.map(({ outcome }) => outcome)).toEqual(this.names.map(() => 'succeeded'))
    }
    const expected = this.#deployed.flatMap((id) => stepIds.map((step) => `${id} ${step}`)).toSorted()
    for (const name of this.names) {
      const ran = (this.#stage.fileOn(name, 'ran.log') ?? '').split('\n')
      expect(ran.toSorted(), name).toEqual(expected)
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stage[Symbol.asyncDispose]()
  }

  async #prepare(): Promise<void> {
    const { client } = this.#fleet
    await client.send('POST', 'environments', { id: environmentId, policy })
    const wanted = { environmentId, roles: ['web'], usesMax: this.names.length }
    const { body } = await client.send<{ token: string }>('POST', 'enrollments', wanted)
    this.#stage.keepJoinToken(body.token)
    for (const name of this.names) this.#stage.startMachine(name, 'web')
    await client.send('POST', 'projects', { id: projectId })
    const steps = stepIds.map((id) => ({ id, kind: 'script', roles: ['web'], script, window }))
    await this.#fleet.release(version, { steps })
    await until('all machines are healthy', readyMs, async () => {
      const rows = await this.#fleet.machines()
      return rows.filter(({ status }) => status === 'healthy').length === this.names.length
    })
  }
}
