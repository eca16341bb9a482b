import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import type { News } from './follow.ts'
import { nextEpoch } from './epoch.ts'
import type { Parked, Snapshot } from './store.ts'

/** What stays when the process that wrote it is gone, so that a simulated crash can open it again. */
export interface MemoryDisk {
  readonly events: Recorded[]
  readonly streams: Map<string, Recorded[]>
  readonly snapshots: Map<string, Snapshot>
  readonly checkpoints: Map<string, number>
  readonly parked: Map<string, Parked>
  readonly fences: Map<string, number>
  /** Copies made by `backup`, by the target's name. Opening one restores it. */
  readonly backups: Map<string, MemoryDisk>
  /** The stores that are open over this disk. */
  readonly openings: Set<News>
  epoch: number
  /** Set on a copy, and on the successor of another store, until it is opened: then a new epoch starts. */
  isBackup: boolean
}

export const createMemoryDisk = (): MemoryDisk => ({
  events: [],
  streams: new Map(),
  snapshots: new Map(),
  checkpoints: new Map(),
  parked: new Map(),
  fences: new Map(),
  backups: new Map(),
  openings: new Set(),
  epoch: 1,
  isBackup: false,
})

/** A copy that shares nothing that changes. */
export const copyMemoryDisk = (disk: MemoryDisk): MemoryDisk => ({
  events: [...disk.events],
  streams: new Map([...disk.streams].map(([stream, events]) => [stream, [...events]])),
  snapshots: new Map(disk.snapshots),
  checkpoints: new Map(disk.checkpoints),
  parked: new Map(disk.parked),
  fences: new Map(disk.fences),
  backups: new Map(),
  openings: new Set(),
  epoch: disk.epoch,
  isBackup: true,
})

export function startEpoch(disk: MemoryDisk, clock: Clock): void {
  if (!disk.isBackup) return
  disk.epoch = nextEpoch(disk.epoch, clock)
  disk.isBackup = false
}
