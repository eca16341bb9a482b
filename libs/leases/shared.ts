import { partitionsMax } from '#contracts/partitions.ts'
import type { Leases } from './leases.ts'
import { Member, type MemberOptions } from './member.ts'

/** Leases of processes that see each other by a table of rosters. Closing them closes the table. */
export const createSharedLeases = (
  options: Omit<MemberOptions, 'service' | 'partitions' | 'take'>,
  partitions = partitionsMax,
): Leases => ({
  partitions,
  async join(service, cutInto, take) {
    const member = new Member({ ...options, service, partitions: cutInto, take })
    await member.settled()
    return member
  },
  [Symbol.asyncDispose]: () => options.table[Symbol.asyncDispose](),
})
