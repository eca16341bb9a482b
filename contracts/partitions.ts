/** Of the services whose work is shared out by machine, into how many parts it is cut when several processes do it. */
export const partitionsMax = 16

/**
 * A number below 2^32 for an id, the same everywhere and for ever: what is to be shared out or spread goes by it.
 * FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/**
 * The part that a machine belongs to, which says who hears it.
 * @param partitions how many parts there are, 1 or more
 */
export const partitionOf = (machineId: string, partitions: number): number =>
  partitions === 1 ? 0 : hashOf(machineId) % partitions
