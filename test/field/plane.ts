import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, ServiceName } from '#contracts/command.ts'
import type { Recorded } from '#contracts/message.ts'
import { makeToken } from '#libs/auth.ts'
import type { Platform } from '#libs/platform.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import type { CheckRunner } from '#services/agent/ports.ts'
import type { ProviderSource } from '#services/policy/provider/provider.ts'
import { Context, seedOf } from '#test/simulation/context.ts'
import type { AnyEvent } from '#test/simulation/events.ts'
import { Machine } from '#test/simulation/machine.ts'
import { Office } from '#test/simulation/office.ts'
import { Server } from '#test/simulation/server.ts'
import { Trace } from '#test/simulation/trace.ts'
import { Truth } from '#test/simulation/truth.ts'
import { createVirtualClock, type VirtualClock } from '#test/support/virtualClock.ts'
import { Landscape } from './landscape.ts'

const minuteMs = 60_000
export const environmentId = 'production'

export interface PlaneOptions {
  readonly seed?: number
  readonly providers?: readonly ProviderSource[]
  /** Makes the checks of the policy on the machines; every check passes when it is left out. */
  readonly checkRunner?: (clock: VirtualClock) => CheckRunner
}

type EventOf<Type extends AnyEvent['type']> = Recorded<Extract<AnyEvent, { type: Type }>>

/** The whole control plane and real agents in virtual time, with faults only where a test wants one. */
export class Plane implements AsyncDisposable {
  readonly world: VirtualClock
  readonly disk = createMemoryDisk()
  readonly server: Server
  /** What is to be seen of the machines without an agent. */
  readonly landscape: Landscape
  readonly truth: Truth
  readonly trace: Trace
  readonly machines = new Map<string, Machine>()
  /** Machines without an agent, by their ids, which are their names. */
  readonly bare = new Set<string>()
  readonly troubles: string[] = []
  /** Commands between services, by type, that do not arrive for as long as they are named here. */
  readonly held = new Set<string>()
  /** Told of what is stored, at that moment. */
  onStored: ((events: readonly AnyEvent[]) => void) | null = null
  readonly #folder = mkdtempSync(join(tmpdir(), 'remuda-field-'))
  readonly #options: PlaneOptions
  readonly #seed: number
  readonly #stage: Context
  readonly #office: Office
  readonly #token

  constructor(options: PlaneOptions = {}) {
    const { seed = 7, providers = [] } = options
    const world = createVirtualClock({ seed })
    const { disk, troubles } = this
    this.#options = options
    this.#seed = seed
    this.world = world
    this.landscape = new Landscape(world)
    this.truth = new Truth(() => world.steadyMs())
    this.#stage = new Context(world, 'stage', seedOf(seed, 'stage'))
    this.#token = makeToken(this.#stage.clock, 'join', 'field')
    this.server = new Server({
      ...{ world, disk, seed, readModelFile: join(this.#folder, 'model.db') },
      tamper: (platform) => this.#holding(platform),
      ...{ probing: { look: this.landscape.look }, providers },
      busFaults: () => ({}),
      storeFaults: () => null,
      onTrouble: (what) => void troubles.push(what),
    })
    this.trace = new Trace(disk, world.steadyMs, (events) => this.onStored?.(events))
    this.#office = new Office(this.#stage, this.server, () => disk.events.length)
  }

  /** @param policy the settings of the one environment, `production` */
  static async start(policy: object = {}, options: PlaneOptions = {}): Promise<Plane> {
    const plane = new Plane(options)
    await plane.begin()
    await plane.must('registry', 'CreateEnvironment', { environmentId, name: 'Production', policy })
    await plane.invite()
    return plane
  }

  /** Lets machines into the environment. */
  async invite(): Promise<void> {
    const { publicId: enrollmentId, secretHash } = this.#token
    const allowed = { environmentId, roles: [], expiresAt: Date.UTC(2030, 0), usesMax: 1_000 }
    await this.must('registry', 'CreateEnrollment', { enrollmentId, secretHash, ...allowed })
  }

  /** Starts the server, or starts it again. */
  async begin(): Promise<void> {
    this.truth.serverBegan()
    await this.#done(this.server.start(0))
  }

  /** Stops the server in good order. */
  async end(): Promise<void> {
    await this.#done(this.server.stop())
    this.#down()
  }

  /** The server dies in the middle of whatever it does. */
  crash(): void {
    this.server.crash()
    this.#down()
  }

  /** Starts the server again while others wait for it. */
  rise(): void {
    this.truth.serverBegan()
    void this.server.start(0)
  }

  /** The server dies in the moment in which such an event is stored, before anybody has read it. */
  async crashBehind(type: AnyEvent['type'], name: string): Promise<void> {
    this.onStored = () => {
      if (this.count(type, name) === 0) return
      this.onStored = null
      this.crash()
    }
    await this.until(() => !this.server.isUp)
  }

  pass(ms: number): Promise<void> {
    return this.world.advance(ms)
  }

  /** Turns on machines with agents and waits until all are healthy. */
  async machinesIn(zone: string, ...names: readonly string[]): Promise<void> {
    for (const name of names) this.machine(name, { zone }).boot()
    await this.until(() => names.every((name) => this.count('MachineBecameHealthy', name) > 0))
  }

  /** A machine with an agent that is not turned on yet. @param key how tests call it, where another one has its name */
  machine(name: string, how: { zone: string; key?: string; original?: Machine }): Machine {
    const { world, server, truth } = this
    const { checkRunner } = this.#options
    const machine = new Machine({
      ...{ world, stage: this.#stage, server, truth, seed: seedOf(this.#seed, how.key ?? name), name, roles: [] },
      ...{ zone: how.zone, token: this.#token.token, tamper: (files) => files },
      ...(checkRunner && { checkRunner: checkRunner(world) }),
      ...(how.original && { original: how.original }),
      onTrouble: (what) => void this.troubles.push(what),
    })
    this.machines.set(how.key ?? name, machine)
    return machine
  }

  /** The machine loses its power. */
  kill(...names: readonly string[]): void {
    for (const name of names) this.machines.get(name)!.crash(true)
  }

  /** Nothing gets through to or from the machines, and nobody is told. */
  cut(...names: readonly string[]): void {
    for (const name of names) this.machines.get(name)!.road.block()
  }

  mend(...names: readonly string[]): void {
    for (const name of names) this.machines.get(name)!.road.unblock()
  }

  idOf(name: string): string {
    return this.bare.has(name) ? name : this.machines.get(name)!.machineId
  }

  async ask(service: ServiceName, type: string, data: object): Promise<Answer> {
    const answer = await this.#done(this.#office.send(service, type, data))
    if (answer === null) throw new Error(`${type} was not answered`)
    return answer
  }

  must(service: ServiceName, type: string, data: object): Promise<void> {
    return this.#done(this.#office.must(service, type, data))
  }

  /** Everything of one type that was ever stored, of one machine when it is named. */
  events<Type extends AnyEvent['type']>(type: Type, name?: string): readonly EventOf<Type>[] {
    const all = this.disk.events.filter((event) => event.type === type) as unknown as readonly EventOf<Type>[]
    if (name === undefined) return all
    return all.filter(({ data }) => 'machineId' in data && data.machineId === this.idOf(name))
  }

  count(type: AnyEvent['type'], name?: string): number {
    return this.events(type, name).length
  }

  /** The names of the machines that an event of the type is about, each once. */
  named(type: AnyEvent['type']): readonly string[] {
    const names = [...this.machines.keys(), ...this.bare]
    return names.filter((name) => this.count(type, name) > 0).toSorted()
  }

  async until(condition: () => boolean, limitMs = 60 * minuteMs): Promise<void> {
    if (!(await this.world.run(condition, limitMs))) throw new Error('it did not come to that in time')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of this.machines.values()) machine.crash(false)
    this.server.crash()
    this.#stage.kill()
    await this.world.settle()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #holding(platform: Platform): Platform {
    const ask: Platform['ask'] = async (...of) => {
      while (this.held.has(of[1].type)) await platform.clock.sleep(1_000)
      return platform.ask(...of)
    }
    return { ...platform, ask }
  }

  #down(): void {
    this.truth.serverEnded()
    for (const machine of this.machines.values()) machine.road.lost('server', true)
  }

  /** Lets time pass until something has been done. */
  async #done<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false
    const watched = work.finally(() => (isDone = true))
    watched.catch(() => {})
    await this.until(() => isDone)
    return watched
  }
}

export const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)
