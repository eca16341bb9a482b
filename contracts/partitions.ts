/** Of the services whose work is shared out by machine, into how many parts it is cut when several processes do it. */
export const partitionsMax = 16

/**
 * The part that a machine belongs to: the same everywhere and for ever, since it says who hears it.
 * FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
 * @param partitions how many parts there are, 1 or more
 */
export function partitionOf(machineId: string, partitions: number): number {
  if (partitions === 1) return 0
  let hash = 0x811c9dc5
  for (let index = 0; index < machineId.length; index++)
    hash = Math.imul(hash ^ machineId.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % partitions
}
