import { serviceNames, type Answer, type ServiceName } from '#contracts/command.ts'
import type { Cause, Message } from '#contracts/message.ts'
import { createAsk } from '#libs/ask.ts'
import { BusFault } from '#libs/bus/bus.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import type { Platform } from '#libs/platform.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { MemoryDisk } from '#libs/store/memoryDisk.ts'
import type { HealthSettings } from '#services/health/service.ts'
import type { PolicyServiceSettings } from '#services/policy/service.ts'
import { startQuery, type Query } from '#services/query/service.ts'
import { startServices, type Services } from '#services/start.ts'
import { faultyBus, type BusFaults } from '#test/support/faultyBus.ts'
import type { VirtualClock } from '#test/support/virtualClock.ts'
import { Context, seedOf } from './context.ts'
import { faultyStore, type StoreFaults } from './faultyStore.ts'
import type { Listening } from './network.ts'
import { ownBus, ownStore } from './owned.ts'
import { SpokenLog } from './spokenLog.ts'

const askTimeoutMs = 10_000
const paces = { health: { tickMs: 1_000 }, policy: { sweepMs: 5_000 }, deployment: { sweepMs: 5_000 } }
const rebuildMaxMs = 600_000
/** Longer than the longest a service waits for anything when it is asked to stop. */
const stopWithinMs = 60_000

/** A planted defect changes what the services stand on. */
export type Tamper = (platform: Platform, context: Context) => Platform

export interface ServerOptions {
  readonly world: VirtualClock
  readonly disk: MemoryDisk
  readonly seed: number
  readonly busFaults: () => BusFaults
  readonly storeFaults: () => StoreFaults | null
  /** Where the read model is kept, beside the disk of the store. */
  readonly readModelFile: string
  readonly tamper: Tamper
  /** How machines without an agent are looked at; they are not when this is left out. */
  readonly probing?: HealthSettings['probing']
  readonly providers?: PolicyServiceSettings['providers']
  /** The server has given up. With a store that fails it may, and is started again; otherwise it has no reason to. */
  readonly onTrouble: (what: string, storeFails: boolean) => void
}

/** One life of the control plane, from a start to a crash or a stop. */
interface Life {
  readonly context: Context
  readonly platform: Platform
  readonly died: PromiseWithResolvers<never>
  readonly storeFails: boolean
  services: Services | null
  isStopping: boolean
}

/** The whole control plane on one machine: its disk outlives it. */
export class Server {
  readonly log = new SpokenLog()
  readonly #options: ServerOptions
  #life: Life | null = null
  #lives = 0

  constructor(options: ServerOptions) {
    this.#options = options
  }

  get context(): Context | null {
    return this.#life?.context ?? null
  }

  get isUp(): boolean {
    return this.#life?.services != null && !this.#life.isStopping
  }

  get query() {
    return this.#life?.services?.query ?? null
  }

  /** What agents can connect to. */
  listening = (): Listening | null => {
    const gateway = this.#life?.services?.gateway
    return gateway && this.#life ? { context: this.#life.context, gateway } : null
  }

  /** Resolves when the services have started; never when they die before that. */
  async start(wallOffsetMs: number): Promise<void> {
    const life = this.#open(wallOffsetMs)
    this.#life = life
    const { context, platform } = life
    const { readModelFile: databaseFile, probing, providers = [] } = this.#options
    try {
      const gatewayId = `gateway-${this.#lives}`
      const query = { databaseFile, version: '0' }
      const health = { ...paces.health, ...(probing && { probing }) }
      const own = { gateway: { gatewayId }, health, policy: { ...paces.policy, providers } }
      const starting = startServices(platform, { names: serviceNames, query, ...paces, ...own })
      const services = await context.own(starting)
      life.services = services
      void services.failure.then((fault) => context.isDead || life.isStopping || this.#trouble(life, 'gave up', fault))
    } catch (error) {
      this.#trouble(life, 'could not start', error)
    }
  }

  /** Everything in memory is gone, in the middle of whatever was being done. */
  crash(): void {
    const life = this.#life
    if (!life) return
    this.#life = null
    life.context.kill()
    life.died.reject(new BusFault('closed', 'the server died'))
    void life.platform.store[Symbol.asyncDispose]()
  }

  /** Stops in good order. Resolves when it is down. */
  async stop(): Promise<void> {
    const life = this.#life
    if (!life?.services) return this.crash()
    life.isStopping = true
    const late = life.context.timer(stopWithinMs, () => this.#trouble(life, 'does not stop', new Error('it hangs')))
    const stopping = Promise.resolve(life.services[Symbol.asyncDispose]())
    await life.context.own(stopping).catch((error: unknown) => this.#trouble(life, 'could not stop', error))
    late.cancel()
    if (this.#life === life) this.crash()
  }

  /** Throws a `BusFault` when there is no answer: then nobody knows whether it was done. */
  async ask(service: ServiceName, command: Message, cause: Cause): Promise<Answer> {
    if (!this.#life || !this.isUp) throw new BusFault('closed', 'the server is down')
    return Promise.race([this.#life.platform.ask(service, command, cause), this.#life.died.promise])
  }

  /** A read model of what is stored now, built from nothing and to be closed by who asked for it. */
  async rebuild(): Promise<Query> {
    const { platform } = this.#open(0)
    const query = await startQuery(platform, { databaseFile: ':memory:', version: '0' })
    await query.reached(await platform.store.head(), rebuildMaxMs)
    return query
  }

  #open(wallOffsetMs: number): Life {
    const { world, disk, seed, busFaults, storeFaults, tamper } = this.#options
    this.#lives += 1
    const lifeSeed = seedOf(seed, 'server', this.#lives)
    const context = new Context(world, `server ${this.#lives}`, lifeSeed, wallOffsetMs)
    const { clock } = context
    const log = this.log.of(context)
    const memory = openMemoryStore({ clock, disk })
    const faults = storeFaults()
    const store = ownStore(context, faults ? faultyStore(context, memory, faults) : memory)
    const bus = ownBus(context, faultyBus(createMemoryBus({ clock, log }), clock, busFaults(), lifeSeed))
    const platform = tamper({ store, bus, clock, log, ask: createAsk(bus, { timeoutMs: askTimeoutMs }) }, context)
    const died = Promise.withResolvers<never>()
    died.promise.catch(() => {})
    return { context, platform, died, storeFails: faults !== null, services: null, isStopping: false }
  }

  #trouble({ storeFails }: Life, what: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error)
    this.#options.onTrouble(`the server ${what}: ${why}`, storeFails)
  }
}
