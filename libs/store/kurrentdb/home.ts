import type { Clock } from '#libs/clock.ts'
import { nextEpoch } from '../epoch.ts'
import { StoreFault } from '../store.ts'
import type { Registers } from './registers.ts'
import type { Target } from './target.ts'

const started = 'EpochStarted'

interface Epoch {
  readonly epoch: number
  /** The last restore that the store was told of. */
  readonly restored: string | null
  /** Whether this became the successor of another store and was not opened since. */
  readonly isSuccessor?: boolean
}

/**
 * The epoch the store is in. A cluster that was restored from a backup looks like one that was started again, and no
 * client can tell them apart: so whoever restores one says so in the URL, as `?restored=2026-11-24`. That starts one
 * new epoch, however long it stays there.
 */
export async function epochOf(registers: Registers, { names, restored }: Target, clock: Clock): Promise<number> {
  const kept = await registers.change<Epoch>(names.keptStream('epoch'), started, (old) => {
    if (old === null) return { epoch: 1, restored }
    const isRestored = restored !== null && restored !== old.restored
    if (!isRestored && !old.isSuccessor) return null
    return { epoch: nextEpoch(old.epoch, clock), restored: isRestored ? restored : old.restored }
  })
  return kept?.epoch ?? 1
}

/** The epoch of a store that is only looked at. Throws `StoreFault` when there is none. */
export async function epochSeen(registers: Registers, { names, shown }: Target): Promise<number> {
  const kept = (await registers.get(names.keptStream('epoch'))) as Epoch | null
  if (kept === null)
    throw new StoreFault(`There is no event store with this prefix at ${shown}. Check the URL and its prefix.`)
  return kept.epoch
}

/** See `EventStore.succeed`. */
export async function succeed(registers: Registers, { names }: Target, epoch: number): Promise<void> {
  await registers.change<Epoch>(names.keptStream('epoch'), started, (old) => ({
    epoch: Math.max(epoch, old?.epoch ?? 1),
    restored: old?.restored ?? null,
    isSuccessor: true,
  }))
}
