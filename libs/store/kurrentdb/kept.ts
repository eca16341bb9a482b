import { checkFence } from '../fence.ts'
import { checkCheckpoint, checkParked, snapshotText } from '../keptLimits.ts'
import type { EventStore, Snapshot } from '../store.ts'
import type { Engine } from './engine.ts'

interface Checkpoint {
  readonly position: number
}

type KeptSnapshot = Pick<Snapshot, 'version' | 'state'>

/** What is kept beside the events, in streams of its own. */
export const keptBeside = (open: () => Engine) => {
  const snapshotStream = (stream: string, schema: string) => open().target.names.keptStream('snapshot', schema, stream)
  const checkpointStream = (name: string) => open().target.names.keptStream('checkpoint', name)
  return {
    async saveSnapshot(stream, snapshot) {
      const { schema, version } = snapshot
      const state: unknown = JSON.parse(snapshotText(stream, snapshot))
      await open().registers.change<KeptSnapshot>(snapshotStream(stream, schema), 'SnapshotSaved', (old) =>
        (old?.version ?? 0) <= version ? { version, state } : null,
      )
    },
    async loadSnapshot(stream, schema) {
      const kept = (await open().registers.get(snapshotStream(stream, schema))) as KeptSnapshot | null
      return kept && { schema, version: kept.version, state: kept.state }
    },
    async saveCheckpoint(name, position) {
      checkCheckpoint(name, position)
      await open().registers.change<Checkpoint>(checkpointStream(name), 'CheckpointSaved', (old) =>
        (old?.position ?? 0) < position ? { position } : null,
      )
    },
    async loadCheckpoint(name) {
      return ((await open().registers.get(checkpointStream(name))) as Checkpoint | null)?.position ?? 0
    },
    /** From the whole log, since nobody asks but who copies all of it. */
    async listCheckpoints() {
      const prefix = checkpointStream('x').slice(0, -1)
      const positions = new Map<string, number>()
      for await (const { event } of open().reader.throughout(prefix)) {
        if (event === undefined) continue
        const name = decodeURIComponent(event.streamId.slice(prefix.length))
        const { position } = event.data as unknown as Checkpoint
        positions.set(name, Math.max(position, positions.get(name) ?? 0))
      }
      return [...positions].map(([name, position]) => ({ name, position }))
    },
    async raiseFence(name) {
      checkFence(name)
      return open().fences.raise(name)
    },
    async fence(name) {
      checkFence(name)
      return open().fences.token(name)
    },
    async park(parked) {
      checkParked(parked)
      await open().parking.park(parked)
    },
    async unpark(reactor, position) {
      await open().parking.unpark(reactor, position)
    },
    async listParked() {
      return open().parking.list()
    },
  } satisfies Partial<EventStore>
}
