import type { Cause, Message, Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { checkFence, fencedView, noFences, withFence, type AppendWith } from './fence.ts'
import { followPages, News } from './follow.ts'
import { checkCheckpoint, checkEpoch, checkParked, snapshotText } from './keptLimits.ts'
import { areNext, causeAt, checkAdopted, checkAppend, checkPage, checkStream, serialise } from './limits.ts'
import { copyMemoryDisk, createMemoryDisk, startEpoch, type MemoryDisk } from './memoryDisk.ts'
import { Fenced, StoreFault, type EventStore } from './store.ts'
import { verifyEvents } from './verifyEvents.ts'

const followPageEvents = 1_000

/**
 * A store in memory, for tests and for the simulation: it waits for nothing, so that an append resolves by microtasks
 * alone. Several stores may be opened over one disk; what one appends, followers of all of them see.
 */
export function openMemoryStore({ clock, disk = createMemoryDisk() }: { clock: Clock; disk?: MemoryDisk }): EventStore {
  startEpoch(disk, clock)
  const news = new News()
  disk.openings.add(news)

  const open = (): MemoryDisk => {
    if (news.closed) throw new StoreFault('The store is closed. Open it again.')
    return disk
  }
  const pages = {
    position: () => disk.events.length,
    page: (after: number) => disk.events.slice(after, after + followPageEvents),
  }

  const append: AppendWith = async (fences, stream, expectedVersion, facts, cause) => {
    checkAppend(stream, expectedVersion, facts, cause)
    const raised = fences.find(({ name, token }) => (open().fences.get(name) ?? 0) > token)
    if (raised !== undefined) throw new Fenced(raised.name, raised.token)
    return appendTo(open(), clock, stream, expectedVersion, facts, cause)
  }

  const store: EventStore = {
    ...keptBeside(open),
    epoch: disk.epoch,

    append: (stream, expectedVersion, facts, cause) => append(noFences, stream, expectedVersion, facts, cause),
    fenced: (name, token) => fencedView(store, append, withFence(noFences, name, token)),
    async adopt(events) {
      checkAdopted(events)
      return adoptInto(open(), events)
    },
    async read(stream, afterVersion = 0) {
      checkStream(stream)
      const events = open().streams.get(stream) ?? []
      return { version: events.length, events: events.slice(afterVersion) }
    },
    async readAll(after, limit) {
      checkPage(after, limit)
      return open().events.slice(after, after + limit)
    },
    async head() {
      return open().events.length
    },
    follow: (after, signal) => followPages(pages, news, after, signal),

    async succeed(epoch) {
      checkEpoch(epoch)
      open().epoch = Math.max(disk.epoch, epoch)
      disk.isBackup = true
    },
    async backup(target) {
      if (open().backups.has(target)) throw new StoreFault(`There is already a backup ${target}. Choose another name.`)
      disk.backups.set(target, copyMemoryDisk(disk))
    },
    async verify() {
      return verifyEvents([open().events])
    },
    async [Symbol.asyncDispose]() {
      disk.openings.delete(news)
      news.close()
    },
  }
  return store
}

/** Events are copied and frozen when they are appended, as if they had been written to a disk and read from it. */
function appendTo(
  { events, streams, openings }: MemoryDisk,
  clock: Clock,
  stream: string,
  expectedVersion: number,
  facts: readonly Message[],
  cause: Cause | readonly Cause[],
): readonly Recorded[] | 'conflict' {
  const past = streams.get(stream) ?? []
  const data = serialise(stream, facts).map((text): unknown => JSON.parse(text))
  if (past.length !== expectedVersion) return 'conflict'

  const at = clock.wallMs()
  const recorded = facts.map(({ type }, index) => {
    const { actor, commandId, correlationId, causationId } = causeAt(cause, index)
    const place = { stream, version: past.length + index + 1, position: events.length + index + 1, at }
    const meta = { id: clock.id(), ...place, actor, commandId, correlationId, causationId }
    return deepFreeze({ type, data: data[index], meta })
  })
  if (recorded.length === 0) return recorded
  if (past.length === 0) streams.set(stream, past)
  past.push(...recorded)
  events.push(...recorded)
  for (const opening of openings) opening.wake()
  return recorded
}

function adoptInto(disk: MemoryDisk, adopted: readonly Recorded[]): number | 'conflict' {
  const { events, streams, openings } = disk
  const texts = serialise('events taken over', adopted)
  if (!areNext(adopted, (stream) => streams.get(stream)?.length ?? 0)) return 'conflict'
  for (const [index, { type, meta }] of adopted.entries()) {
    const data = JSON.parse(texts[index] as string) as unknown
    const event = deepFreeze({ type, data, meta: { ...meta, position: events.length + 1 } })
    const past = streams.get(meta.stream)
    if (past === undefined) streams.set(meta.stream, [event])
    else past.push(event)
    events.push(event)
  }
  for (const opening of openings) opening.wake()
  return events.length
}

const keptBeside = (open: () => MemoryDisk) =>
  ({
    async saveSnapshot(stream, snapshot) {
      const { schema, version } = snapshot
      const copy = deepFreeze({ schema, version, state: JSON.parse(snapshotText(stream, snapshot)) as unknown })
      const key = snapshotKey(stream, schema)
      if ((open().snapshots.get(key)?.version ?? 0) <= version) open().snapshots.set(key, copy)
    },
    async loadSnapshot(stream, schema) {
      return open().snapshots.get(snapshotKey(stream, schema)) ?? null
    },
    async saveCheckpoint(name, position) {
      checkCheckpoint(name, position)
      const { checkpoints } = open()
      checkpoints.set(name, Math.max(position, checkpoints.get(name) ?? 0))
    },
    async loadCheckpoint(name) {
      return open().checkpoints.get(name) ?? 0
    },
    async listCheckpoints() {
      return [...open().checkpoints].map(([name, position]) => ({ name, position }))
    },
    async raiseFence(name) {
      checkFence(name)
      const token = (open().fences.get(name) ?? 0) + 1
      open().fences.set(name, token)
      return token
    },
    async fence(name) {
      checkFence(name)
      return open().fences.get(name) ?? 0
    },
    async park(parked) {
      checkParked(parked)
      open().parked.set(parkedKey(parked.reactor, parked.position), { ...parked })
    },
    async unpark(reactor, position) {
      open().parked.delete(parkedKey(reactor, position))
    },
    async listParked() {
      const inOrder = [...open().parked.values()]
      return inOrder.sort((a, b) => a.position - b.position || (a.reactor < b.reactor ? -1 : 1))
    },
  }) satisfies Partial<EventStore>

const snapshotKey = (stream: string, schema: string) => JSON.stringify([stream, schema])
const parkedKey = (reactor: string, position: number) => JSON.stringify([reactor, position])

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
