import type { TaskLeaseSignal } from '#contracts/signals.ts'
import { taskLeaseSignal } from '#contracts/subjects.ts'
import type { Blobs } from '#libs/blobs/blobs.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import { startReactor } from '#libs/reactor.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { createLookAt, type AddressLookSettings } from './addressLook.ts'
import { Engine } from './engine.ts'
import { startInbox } from './inbox.ts'
import { PackageReferences } from './package/references.ts'
import { PackageSweep } from './packageSweep.ts'
import { childDeployments, deregistration } from './reactor.ts'

export interface DeploymentSettings {
  /** The bytes of packages, which are swept; left out where nobody uploads any. */
  readonly blobs?: Blobs
  /** How long bytes are kept that no package has, and how often they are looked for. */
  readonly orphanGraceMs?: number
  readonly packageSweepMs?: number
  /** How packages at addresses are looked at when a release is made. */
  readonly packages?: Partial<AddressLookSettings>
  /** How many of the newest versions of a package stay when one more is uploaded; left out: all. */
  readonly keepNewestPackages?: number | undefined
  /** The sensitive values; without it there are none. */
  readonly vault?: Vault
  /** How often every running deployment is looked at for what did not happen. */
  readonly sweepMs?: number
  /** How long the start may take to read what has happened so far. */
  readonly catchUpMs?: number
}

export interface Deployment extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Runs projects, releases and deployments. Returns once it knows all that was stored when it began. */
export async function startDeployment(platform: Platform, settings: DeploymentSettings = {}): Promise<Deployment> {
  const { sweepMs = 1_000, catchUpMs = 120_000, keepNewestPackages = null } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const engine = new Engine(platform)
  const references = new PackageReferences()
  const lookAt = createLookAt(clock, settings.packages)

  const packages = packageSweepOf(platform, settings)
  const handle = (events: Parameters<Engine['follow']>[0]) => {
    packages?.follow(events)
    for (const event of events) references.follow(event)
    return engine.follow(events)
  }
  const consumer = stack.use(startConsumer({ name: 'deployment', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`deployment has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)
  stack.defer(() => engine.rest())
  engine.goLive()
  if (packages) stack.defer(packages.start())

  const inbox = startInbox(platform, { engine, vault: settings.vault, references, lookAt, keepNewestPackages })
  stack.defer(() => inbox.stop())
  const signals = bus.subscribe(taskLeaseSignal, ({ payload }) =>
    engine.renewLease((payload as TaskLeaseSignal).taskId),
  )
  stack.defer(() => signals.stop())
  const reactor = stack.use(startReactor({ reactor: deregistration, ...platform }))
  const children = stack.use(startReactor({ reactor: childDeployments, ...platform }))
  stack.defer(sweep(platform, engine, sweepMs))
  const resources = stack.move()
  const failure = Promise.race([consumer.failure, reactor.failure, children.failure])
  return { failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

const hourMs = 3_600_000

function packageSweepOf({ clock, log }: Platform, settings: DeploymentSettings): PackageSweep | null {
  const { blobs, orphanGraceMs = hourMs, packageSweepMs: sweepEveryMs = hourMs } = settings
  return blobs === undefined ? null : new PackageSweep({ clock, log, blobs, orphanGraceMs, sweepEveryMs })
}

/** A sweep that comes this many times too late means that the process did not run, and so did not listen. */
const stalledFactor = 5

/** Looks for what did not happen, once per `sweepMs`. */
function sweep({ clock }: Platform, engine: Engine, sweepMs: number): () => void {
  let last = clock.steadyMs()
  let timer = clock.timer(sweepMs, look)
  function look() {
    const now = clock.steadyMs()
    if (now - last > sweepMs * stalledFactor) engine.wasDeafFor(now - last)
    last = now
    engine.sweep()
    timer = clock.timer(sweepMs, look)
  }
  return () => timer.cancel()
}
