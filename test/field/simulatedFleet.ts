import type { ServiceName } from '#contracts/command.ts'
import type { Recorded } from '#contracts/message.ts'
import { createAsk } from '#libs/ask.ts'
import { makeToken } from '#libs/auth.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog as log } from '#libs/log.ts'
import type { Platform } from '#libs/platform.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { Behaviour } from '#services/agent/fleet/behaviour.ts'
import { runFleet } from '#services/agent/fleet/fleet.ts'
import { Tally } from '#services/agent/fleet/tally.ts'
import { startServices, type Services } from '#services/start.ts'
import { createNetwork } from '#test/services/agent/network.ts'
import type { AnyEvent } from '#test/simulation/events.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const names: readonly ServiceName[] = ['relay', 'registry', 'deployment', 'gateway', 'health', 'policy']
const environmentId = 'production'
const [year2030, limitMs] = [Date.UTC(2030, 0), 3_600_000]

export interface FleetStage {
  readonly count: number
  readonly seed: number
  readonly behaviour: Behaviour
  readonly policy: object
}

/** All services and a fleet of simulated machines in one process, in virtual time. */
export class SimulatedFleet implements AsyncDisposable {
  readonly clock
  readonly store
  readonly tally = new Tally()
  readonly #platform: Platform
  readonly #stop = new AbortController()
  #services: Services | null = null

  private constructor(seed: number) {
    const clock = createVirtualClock({ seed })
    const bus = createMemoryBus({ clock, log })
    this.clock = clock
    this.store = openMemoryStore({ clock })
    this.#platform = { clock, log, bus, store: this.store, ask: createAsk(bus, { timeoutMs: 10_000 }) }
  }

  /** Resolves when all machines have been heard. */
  static async start({ count, seed, behaviour, policy }: FleetStage): Promise<SimulatedFleet> {
    const fleet = new SimulatedFleet(seed)
    const { clock, tally } = fleet
    const query = { databaseFile: ':memory:', version: '0.0.0' }
    const starting = startServices(fleet.#platform, { names, query, gateway: { gatewayId: 'g1' } })
    fleet.#services = await fleet.done(starting)
    const gateway = fleet.#services.gateway!
    await fleet.must('registry', 'CreateEnvironment', { environmentId, name: 'Production', policy })
    const { token: joinToken, publicId: enrollmentId, secretHash } = makeToken(clock, 'join', 'fleet')
    const uses = { roles: [], expiresAt: year2030, usesMax: count }
    await fleet.must('registry', 'CreateEnrollment', { enrollmentId, environmentId, secretHash, ...uses })
    const network = createNetwork({ gateway, ask: fleet.#platform.ask }, clock)
    const own = { count, seed, behaviour, joinToken, name: 'sim', roles: [], joinRate: 100, durationMs: null }
    const ports = { clock, tally, transport: network.transport, enroller: network.enroller }
    void runFleet({ ...own, attributes: [{ key: 'zone', values: ['a', 'b'] }] }, ports, fleet.#stop.signal)
    await fleet.until(() => tally.joined === count)
    return fleet
  }

  async must(service: ServiceName, type: string, data: object): Promise<void> {
    const commandId = this.clock.id()
    const cause = { actor: 'person:test', commandId, correlationId: commandId, causationId: null }
    const answer = await this.done(this.#platform.ask(service, { type, data }, cause))
    if ('refused' in answer) throw new Error(`${type}: ${answer.refused}: ${answer.detail}`)
  }

  async until(condition: () => boolean): Promise<void> {
    if (!(await this.clock.run(condition, limitMs))) throw new Error('it did not come to that in time')
  }

  /** Lets time pass until something has been done. */
  async done<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false
    const watched = work.finally(() => (isDone = true))
    watched.catch(() => {})
    await this.until(() => isDone)
    return watched
  }

  /** Everything that was ever stored. */
  async events(): Promise<readonly AnyEvent[]> {
    const all: Recorded[] = []
    for (let page = await this.store.readAll(0, 1_000); page.length > 0;) {
      all.push(...page)
      page = await this.store.readAll(page.at(-1)!.meta.position, 1_000)
    }
    return all as unknown as readonly AnyEvent[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    const closing = this.#services?.[Symbol.asyncDispose]()
    if (closing) await this.done(Promise.resolve(closing))
  }
}
