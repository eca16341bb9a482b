import { partitionOf } from '#contracts/partitions.ts'
import type { Recorded } from '#contracts/message.ts'
import { categoryOf } from '#contracts/subjects.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Lease, Leases, Work } from '#libs/leases/leases.ts'
import { createLocalLeases } from '#libs/leases/local.ts'
import type { Platform } from '#libs/platform.ts'
import type { Followed } from './consequences.ts'
import { startListening, type ListeningSettings } from './listening.ts'
import { observersOf } from './observer/observers.ts'
import { Partition } from './partition.ts'
import { Berths } from '#libs/outbound/berths.ts'
import { createLook, type Look, type LookSettings } from './probing/look.ts'
import { Roster } from './roster.ts'

export interface HealthSettings extends ListeningSettings {
  readonly catchUpMs?: number
  /** Who shares the machines out among the processes that listen; without it this one listens to all. */
  readonly leases?: Leases
  readonly probing?: ProbingSettings
}

/** How this process looks at machines that have no agent. */
export interface ProbingSettings extends Partial<LookSettings> {
  /** How many looks are under way at once. */
  readonly atOnceMax?: number
  /** Looks in another way: where machines are played. */
  readonly look?: Look
}

const probesAtOnceMax = 32

export interface HealthService extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<unknown>
}

const followed = new Set(['machine', 'health', 'environment'])

/** Watches who is well. Returns once it knows whom to watch and has closed the gap since somebody last did. */
export async function startHealth(platform: Platform, settings: HealthSettings = {}): Promise<HealthService> {
  const { catchUpMs = 120_000, leases = createLocalLeases(platform.store) } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const roster = new Roster()
  const partitions = new Set<Partition>()
  const handle = (events: readonly Recorded[]) => follow(events as Recorded<Followed>[], roster, partitions)
  const consumer = stack.use(startConsumer({ name: 'health', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`health has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)

  const {
    allow = [],
    sshKey,
    atOnceMax = probesAtOnceMax,
    look = createLook(clock, { allow, sshKey }),
  } = settings.probing ?? {}
  const probing = { look, berths: new Berths(atOnceMax) }
  const listen = (lease: Lease) => hold(lease, leases.partitions, { platform, roster, partitions, settings, probing })
  const membership = stack.use(await leases.join('health', leases.partitions, listen))
  const resources = stack.move()
  const failure = Promise.race([consumer.failure, membership.failure])
  return { failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** The roster first: partitions look up there what has become of a machine. */
function follow(events: readonly Recorded<Followed>[], roster: Roster, partitions: Iterable<Partition>): void {
  for (const event of events) {
    if (!followed.has(categoryOf(event.meta.stream))) continue
    roster.apply(event)
    for (const partition of partitions) partition.adjust(event)
  }
}

interface Held {
  readonly platform: Platform
  readonly roster: Roster
  readonly partitions: Set<Partition>
  readonly settings: HealthSettings
  readonly probing: { readonly look: Look; readonly berths: Berths }
}

/** Listens to the machines of one partition until the lease ends. */
async function hold(
  lease: Lease,
  count: number,
  { platform: given, roster, partitions, settings, probing }: Held,
): Promise<Work> {
  const platform = { ...given, store: lease.store }
  const covers = (machineId: string) => partitionOf(machineId, count) === lease.partition
  const [observerId, ...former] = observersOf(lease.partition, count)
  const partition = new Partition({ platform, roster, observerId, covers, ...probing })
  const listening = await startListening(platform, partition, { ...settings, observerId, former, lease, roster })
  partitions.add(partition)
  partition.begin()
  const end = async (how: () => Promise<void>) => {
    partitions.delete(partition)
    partition.prober.stop()
    await how()
  }
  return {
    failure: new Promise(() => {}),
    abandon: () => end(() => listening.abandon()),
    [Symbol.asyncDispose]: () => end(() => listening.stop()),
  }
}
