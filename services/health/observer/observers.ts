import { partitionsMax } from '#contracts/partitions.ts'
import type { EventStore } from '#libs/store/store.ts'
import { aliveCheckpoint } from './observation.ts'

const observerId = (partition: number) => (partition === 0 ? 'health' : `health.${partition}`)

/**
 * Who listens to a partition, first; then those who listened to its machines while the work was cut into more parts,
 * whose last gap has still to be ended. One that listened to more than this partition is the first partition's matter.
 * @param count how many partitions there are
 */
export function observersOf(partition: number, count: number): [string, ...string[]] {
  const former = Array.from({ length: partitionsMax }, (_, index) => index).filter(
    (index) => index >= count && index % count === partition,
  )
  return [observerId(partition), ...former.map(observerId)]
}

/** When somebody was last known to listen, by the steady clock of then; 0 when nobody ever did. */
export async function lastListenedMs(store: Pick<EventStore, 'loadCheckpoint'>): Promise<number> {
  const ids = Array.from({ length: partitionsMax }, (_, partition) => observerId(partition))
  return Math.max(...(await Promise.all(ids.map((id) => store.loadCheckpoint(aliveCheckpoint(id))))))
}
