import { onTestFinished } from 'vitest'
import type { Answer, ServiceName } from '#contracts/command.ts'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { environmentStream, healthStream, machineStream } from '#contracts/subjects.ts'
import { createAsk } from '#libs/ask.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import type { Platform } from '#libs/platform.ts'
import { startRelay } from '#libs/relay.ts'
import type { EventStore } from '#libs/store/store.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { memoryStore } from '#test/support/stores.ts'
import { VirtualClock } from '#test/support/virtualClock.ts'

/** Settings as one likes to write them: only what differs. */
export type Settings = { readonly [Group in keyof EnvironmentPolicy]?: Partial<EnvironmentPolicy[Group]> }

interface Registration {
  readonly environmentId?: string
  readonly roles?: readonly string[]
  readonly hasAgent?: boolean
}

/** A clock that can jump without any timer running: a process that was not let run. */
class StallingClock extends VirtualClock {
  #stalledMs = 0

  constructor() {
    super({})
    const runningMs = this.steadyMs
    this.steadyMs = () => runningMs() + this.#stalledMs
  }

  stall(ms: number): void {
    this.#stalledMs += ms
  }
}

/**
 * A stage on which a service plays by itself: a store, a bus with a relay, and a clock that stands still. What other
 * services would have said is put into the store as facts.
 */
export class Stage {
  readonly clock = new StallingClock()
  readonly log = collectingLog()
  readonly store: EventStore
  readonly platform: Platform
  readonly #stack = new AsyncDisposableStack()
  #commands = 0

  constructor(takeOver: (store: EventStore) => EventStore = (store) => store) {
    const { clock, log } = this
    this.store = takeOver(memoryStore(clock))
    const bus = createMemoryBus({ clock, log })
    const { store } = this
    this.platform = { store, bus, clock, log, ask: createAsk(bus, { timeoutMs: 5_000 }) }
    this.#stack.use(store)
    this.#stack.use(bus)
    this.#stack.use(startRelay(this.platform))
    onTestFinished(() => this.close())
  }

  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    return this.#stack.use(resource)
  }

  /** Closes all that is open; whoever waits for a timer while closing gets the time. */
  async close(): Promise<void> {
    const closed = this.#stack.disposeAsync()
    await this.clock.advance(10_000)
    await closed
  }

  cause(commandId = `c-${(this.#commands += 1)}`): Cause {
    return { actor: 'tester', commandId, correlationId: commandId, causationId: null }
  }

  /** Stores facts as if the service that owns the stream had decided them. */
  async happened(stream: string, ...facts: readonly Message[]): Promise<void> {
    const { version } = await this.store.read(stream)
    await this.store.append(stream, version, facts, this.cause())
    await this.clock.settle()
  }

  async ask(service: ServiceName, type: string, data: object, commandId?: string): Promise<Answer> {
    const answer = this.platform.ask(service, { type, data }, this.cause(commandId))
    // A fault is for whoever awaits the answer, a moment later.
    answer.catch(() => {})
    await this.clock.settle()
    return answer
  }

  async events(stream?: string): Promise<readonly Recorded[]> {
    const all = await this.store.readAll(0, 10_000)
    return stream === undefined ? all : all.filter(({ meta }) => meta.stream === stream)
  }

  async types(stream?: string): Promise<readonly string[]> {
    return (await this.events(stream)).map(({ type }) => type)
  }

  async of(...types: readonly string[]): Promise<readonly Recorded<{ type: string; data: never }>[]> {
    return (await this.events()).filter(({ type }) => types.includes(type)) as never
  }

  async environment(environmentId = 'production', settings: Settings = {}): Promise<void> {
    const policy = EnvironmentPolicy.parse(settings)
    const data = { environmentId, name: environmentId, policy, policyVersion: 1 }
    await this.happened(environmentStream(environmentId), { type: 'EnvironmentCreated', data })
  }

  /** A machine that is registered and, unless told otherwise, healthy. */
  async machine(machineId: string, changes: Registration = {}): Promise<void> {
    await this.registered(machineId, changes)
    await this.healthy(machineId)
  }

  async registered(
    machineId: string,
    { environmentId = 'production', roles = ['web'], hasAgent = true }: Registration = {},
  ): Promise<void> {
    const who = { machineId, name: machineId, environmentId, roles, facts: null, attributes: {} }
    const data = { ...who, publicKey: hasAgent ? 'k'.repeat(43) : null, enrollmentId: null, returnedFrom: null }
    await this.happened(machineStream(machineId), { type: 'MachineRegistered', data })
  }

  async healthy(machineId: string): Promise<void> {
    await this.happened(healthStream(machineId), {
      type: 'MachineBecameHealthy',
      data: { ...this.#judged(machineId, 'heartbeat'), previous: 'unknown' },
    })
  }

  async unavailable(machineId: string): Promise<void> {
    await this.happened(healthStream(machineId), {
      type: 'MachineBecameUnavailable',
      data: { ...this.#judged(machineId, 'heartbeat-missing'), previous: 'healthy' },
    })
  }

  async forgotten(machineId: string): Promise<void> {
    const data = { machineId, at: this.clock.steadyMs() }
    await this.happened(healthStream(machineId), { type: 'HealthForgotten', data })
  }

  async deregistered(machineId: string, environmentId = 'production'): Promise<void> {
    const cause = { kind: 'person', reason: 'sold', decisionId: null, deploymentId: null }
    const data = {
      machineId,
      name: machineId,
      environmentId,
      roles: ['web'],
      cause,
      evidence: null,
      policyVersion: null,
    }
    await this.happened(machineStream(machineId), { type: 'MachineDeregistered', data })
  }

  #judged(machineId: string, kind: string) {
    const at = this.clock.steadyMs()
    const evidence = { kind, lastHeardAt: null, silentMs: 0, thresholdMs: null, observerId: 'health' }
    return { machineId, at, evidence }
  }
}
