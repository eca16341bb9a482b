import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Answer, ServiceName } from '#contracts/command.ts'
import type { Recorded } from '#contracts/message.ts'
import { makeToken } from '#libs/auth.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { Context, seedOf } from '#test/simulation/context.ts'
import type { AnyEvent } from '#test/simulation/events.ts'
import { Machine } from '#test/simulation/machine.ts'
import { Office } from '#test/simulation/office.ts'
import { Server } from '#test/simulation/server.ts'
import { Truth } from '#test/simulation/truth.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

const seed = 7
const minuteMs = 60_000
export const environmentId = 'production'

type EventOf<Type extends AnyEvent['type']> = Recorded<Extract<AnyEvent, { type: Type }>>

/** The whole control plane and real agents in virtual time, with faults only where a test wants one. */
export class Plane implements AsyncDisposable {
  readonly world = createVirtualClock({ seed })
  readonly disk = createMemoryDisk()
  readonly server: Server
  readonly machines = new Map<string, Machine>()
  readonly troubles: string[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'remuda-field-'))
  readonly #stage = new Context(this.world, 'stage', seedOf(seed, 'stage'))
  readonly #truth = new Truth(() => this.world.steadyMs())
  readonly #office: Office
  readonly #token = makeToken(this.#stage.clock, 'join', 'field')

  private constructor() {
    const { world, disk, troubles } = this
    this.server = new Server({
      ...{ world, disk, seed, readModelFile: join(this.#folder, 'model.db'), tamper: (platform) => platform },
      busFaults: () => ({}),
      storeFaults: () => null,
      onTrouble: (what) => void troubles.push(what),
    })
    this.#office = new Office(this.#stage, this.server, () => disk.events.length)
  }

  /** @param policy the settings of the one environment, `production` */
  static async start(policy: object = {}): Promise<Plane> {
    const plane = new Plane()
    await plane.begin()
    await plane.must('registry', 'CreateEnvironment', { environmentId, name: 'Production', policy })
    const { publicId: enrollmentId, secretHash } = plane.#token
    const allowed = { environmentId, roles: [], expiresAt: Date.UTC(2030, 0), usesMax: 1_000 }
    await plane.must('registry', 'CreateEnrollment', { enrollmentId, secretHash, ...allowed })
    return plane
  }

  /** Starts the server, or starts it again. */
  async begin(): Promise<void> {
    await this.#done(this.server.start(0))
  }

  /** Stops the server in good order. */
  async end(): Promise<void> {
    await this.#done(this.server.stop())
  }

  pass(ms: number): Promise<void> {
    return this.world.advance(ms)
  }

  /** Turns on machines with agents and waits until all are healthy. */
  async machinesIn(zone: string, ...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const { world, server } = this
      const machine = new Machine({
        ...{ world, stage: this.#stage, server, truth: this.#truth, seed, zone, name, roles: [] },
        token: this.#token.token,
        tamper: (files) => files,
        onTrouble: (what) => void this.troubles.push(what),
      })
      this.machines.set(name, machine)
      machine.boot()
    }
    await this.until(() => names.every((name) => this.count('MachineBecameHealthy', name) > 0))
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
    return this.machines.get(name)!.machineId
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
    const names = [...this.machines.keys()]
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
