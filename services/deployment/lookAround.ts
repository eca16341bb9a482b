import type { Fleet } from './fleet.ts'
import type { Groups } from './groups.ts'
import type { Leases } from './leases.ts'
import type { Occupancy } from './occupancy.ts'
import type { Others } from './others.ts'
import type { World } from './run/world.ts'

/** What moves on while the rest of the world is only asked. */
interface Now {
  readonly position: () => number
  readonly listeningSince: () => number
}

interface Around {
  readonly fleet: Fleet
  readonly occupancy: Occupancy
  readonly others: Others
  readonly leases: Leases
  readonly groups: Groups
}

/** The world as runs may see it: everything the engine keeps, to be read and not changed. */
export const lookAround = ({ fleet, occupancy, others, leases, groups }: Around, now: Now): World => ({
  get position() {
    return now.position()
  },
  get listeningSince() {
    return now.listeningSince()
  },
  machine: fleet.machine,
  inEnvironment: fleet.inEnvironment,
  workersFor: fleet.workersFor,
  isFree: occupancy.isFree,
  mayStart: occupancy.mayStart,
  holdOf: occupancy.holdOf,
  supersededBy: occupancy.supersededBy,
  versionOf: others.versionOf,
  child: others.child,
  group: groups.group,
  servings: others.servings,
  leaseExpired: leases.isExpired,
})
