import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { HeartbeatSignal } from '#contracts/signals.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import { createAsk } from '#libs/ask.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { openBus } from '#libs/bus/open.ts'
import { startConsumer } from '#libs/consume.ts'
import { silentLog } from '#libs/log.ts'
import { machineIdOf } from '#libs/machineKey.ts'
import type { Platform } from '#libs/platform.ts'
import { openStore } from '#libs/store/open.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { startServices } from '#services/start.ts'

const environmentId = 'production'
const projectId = 'shop'
const keyBytes = 32
const waitMs = 30_000
const heartbeatMs = 20
const patienceMs = 3_600_000
const noteChars = 300
const benchCause: Cause = { actor: 'bench', commandId: 'bench', correlationId: 'bench', causationId: null }

/** What the services stand on. Whatever has to be closed with it is put on the stack. */
export interface Ground {
  readonly store: EventStore
  readonly bus: Bus
}

/** All within one process: a real SQLite file, and a bus that leads nowhere else. */
async function embedded(stack: AsyncDisposableStack): Promise<Ground> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'remuda-bench-'))
  stack.defer(() => rmSync(dataFolder, { recursive: true, force: true }))
  const store = stack.use(await openStore('sqlite:', { clock, dataFolder }))
  return { store, bus: stack.use(await openBus('memory:', { clock, log: silentLog })) }
}

/** The control plane, with a gateway's place taken by one who hands tasks to nobody. */
export class ReactionPath implements AsyncDisposable {
  readonly platform: Platform
  readonly #stack: AsyncDisposableStack
  readonly #waiting = new Map<string, () => void>()

  private constructor(platform: Platform, stack: AsyncDisposableStack) {
    this.platform = platform
    this.#stack = stack
  }

  static async start(openGround: (stack: AsyncDisposableStack) => Promise<Ground> = embedded): Promise<ReactionPath> {
    const stack = new AsyncDisposableStack()
    const log = silentLog
    const { store, bus } = await openGround(stack)
    const platform: Platform = { store, bus, clock, log, ask: createAsk(bus, { timeoutMs: waitMs }) }
    const names = ['relay', 'registry', 'health', 'policy', 'deployment'] as const
    const query = { databaseFile: ':memory:', version: 'bench' }
    stack.use(await startServices(platform, { names, query, gateway: { gatewayId: 'bench' } }))
    const path = new ReactionPath(platform, stack)
    const handle = (events: readonly Recorded[]) => path.#handOut(events as readonly Recorded<DeploymentEvent>[])
    stack.use(startConsumer({ name: 'bench', store, bus, clock, log, after: await store.head(), handle }))
    await path.#prepare()
    return path
  }

  /** Registers a machine that is heard at once; resolves when the order of its first task is in its gateway's hands. */
  async arrive(): Promise<void> {
    const publicKey = randomBytes(keyBytes).toString('base64url')
    const machineId = machineIdOf(publicKey)
    const handed = new Promise<void>((resolve) => this.#waiting.set(machineId, resolve))
    const about = { machineId, name: machineId, environmentId, roles: ['web'], attributes: {}, facts: null }
    await this.#ask('registry', 'RegisterMachine', { ...about, publicKey, enrollmentId: null, force: false })
    const signal: HeartbeatSignal = { gatewayId: 'bench', machineIds: [machineId], closed: [] }
    const beat = () => this.platform.bus.publish(heartbeatSignal(0), signal)
    beat()
    // Who watches may not have heard of the machine yet; its next heartbeat tells again.
    const beats = setInterval(beat, heartbeatMs)
    await handed
    clearInterval(beats)
  }

  /** What the way could cost at least: two facts made durable, one after the other. */
  async commitTwice(): Promise<void> {
    for (let commit = 0; commit < 2; commit++) {
      const fact = { type: 'Noted', data: { note: 'x'.repeat(noteChars) } }
      await this.platform.store.append(`bench-${clock.id()}`, 0, [fact], benchCause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  async #prepare(): Promise<void> {
    // Nobody runs the tasks and no machine is heard again: that is not to have consequences while others are timed.
    const policy = {
      automaticDeployments: { quietMs: 0, waitMaxMs: 0, machinesMax: 1 },
      health: { lateAfterMs: patienceMs, unavailableAfterMs: 2 * patienceMs },
      deployments: { taskLeaseMs: patienceMs },
    }
    await this.#ask('registry', 'CreateEnvironment', { environmentId, name: environmentId, policy })
    await this.#ask('deployment', 'CreateProject', { projectId, name: projectId })
    const process = { steps: [{ id: 'install', kind: 'script', roles: ['web'], script: 'true' }] }
    await this.#ask('deployment', 'ChangeProcess', { projectId, process, expectedVersion: null })
    await this.#ask('deployment', 'CreateRelease', { projectId, version: '1.0.0', notes: '' })
    const override = { projectId, environmentId, version: '1.0.0', reason: 'what newcomers get' }
    await this.#ask('deployment', 'SetReleaseOverride', override)
  }

  #handOut(events: readonly Recorded<DeploymentEvent>[]): void {
    for (const { type, data } of events) {
      if (type !== 'TaskDispatched') continue
      const { deploymentId, taskId, machineId } = data
      void this.#ask('deployment', 'GetWorkOrder', { deploymentId, taskId, machineId }).then(() => {
        this.#waiting.get(machineId)?.()
        this.#waiting.delete(machineId)
      })
    }
  }

  async #ask(service: 'registry' | 'deployment', type: string, data: Message['data']): Promise<void> {
    const commandId = clock.id()
    const cause: Cause = { actor: 'bench', commandId, correlationId: commandId, causationId: null }
    const answer = await this.platform.ask(service, { type, data }, cause)
    if ('refused' in answer) throw new Error(`${type}: ${answer.detail}`)
  }
}
