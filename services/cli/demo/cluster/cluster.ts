import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { serviceNames, type ServiceName } from '#contracts/command.ts'
import { makeToken } from '#libs/auth.ts'
import type { Clock } from '#libs/clock.ts'
import type { ControlPlane } from '../controlPlane.ts'
import { Front } from './front.ts'
import { findNats, findPostgres } from './installed.ts'
import { Nats } from './nats.ts'
import { Place } from './place.ts'
import { Postgres } from './postgres.ts'

const replicas = 2
const ownerOnly = 0o700

export interface ClusterOptions {
  readonly folder: string
  /** Of the one address in front; 0 for any that is free. */
  readonly port: number
  /** Whether there is a worker for steps that belong to no target. It is started by the first gateway. */
  readonly hasWorker: boolean
  /** Aborted when nobody waits for it any more. */
  readonly stop: AbortSignal
}

/** Remuda as it runs on several machines: every service in processes of its own, with NATS and PostgreSQL between them. */
export class Cluster implements ControlPlane {
  readonly adminToken: string
  readonly nats: Nats
  readonly postgres: Postgres
  readonly places: readonly Place[]
  readonly #stack = new AsyncDisposableStack()
  #front: Front | null = null

  private constructor(clock: Clock, nats: Nats, postgres: Postgres, { folder, hasWorker, stop }: ClusterOptions) {
    this.adminToken = makeToken(clock, 'admin').token
    this.nats = nats
    this.postgres = postgres
    const shared = ['--store-url', postgres.url, '--bus-url', nats.url, '--nats-allow-old']
    const env = { REMUDA_ADMIN_TOKEN: this.adminToken }
    this.places = serviceNames.flatMap((service) =>
      Array.from({ length: replicas }, (_, index) => {
        const flags = hasWorker && service === 'gateway' && index === 0 ? [...shared, '--worker'] : shared
        return new Place({ clock, service, replica: index + 1, folder, flags, env, stop })
      }),
    )
  }

  /** @throws NotInstalled when NATS or PostgreSQL is missing */
  static async start(clock: Clock, options: ClusterOptions): Promise<Cluster> {
    const { folder, port, stop } = options
    const home = join(folder, 'cluster')
    const nats = new Nats(clock, findNats(), home, stop)
    const postgres = new Postgres(clock, findPostgres(), join(folder, 'postgres'), stop)
    mkdirSync(home, { mode: ownerOnly })
    await using stack = new AsyncDisposableStack()
    stack.use(nats)
    stack.use(postgres)
    await all([nats.start(), postgres.initialise().then(() => postgres.start())])
    const cluster = new Cluster(clock, nats, postgres, { ...options, folder: home })
    stack.defer(() => cluster.#endAll())
    // Those who are asked first, then those who ask.
    for (const wave of [(place: Place) => !isFront(place), isFront])
      await all(cluster.places.filter(wave).map((place) => place.start()))
    cluster.#front = stack.use(await Front.open(clock, port, (path) => cluster.#backendsFor(path)))
    cluster.#stack.use(stack.move())
    return cluster
  }

  get url(): string {
    return this.#front?.url ?? ''
  }

  of(service: ServiceName): readonly Place[] {
    return this.places.filter((place) => place.service === service)
  }

  /** The process that does the work of a service which one process at a time does; null while none does. */
  holderOf(service: ServiceName): Place | null {
    const began = ({ beganAt }: Place) => beganAt ?? 0
    const candidates = this.of(service).filter((place) => place.isRunning && began(place) > 0)
    return candidates.toSorted((a, b) => began(b) - began(a))[0] ?? null
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }

  /** Agents go where agents are served, and everybody else to where questions are answered. */
  #backendsFor(path: string): readonly string[] {
    const service = path.startsWith('/v1/agent') ? 'gateway' : 'query'
    return this.of(service)
      .map(({ url }) => url)
      .filter((url) => url !== '')
  }

  async #endAll(): Promise<void> {
    await Promise.all(this.places.map((place) => place.end()))
  }
}

/** Waits for all of them, also when one fails: what is half started could not be ended. */
async function all(starts: readonly Promise<void>[]): Promise<void> {
  for (const started of await Promise.allSettled(starts)) if (started.status === 'rejected') throw started.reason
}

const isFront = ({ service }: Place): boolean => service === 'gateway' || service === 'query'
