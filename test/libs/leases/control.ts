import type { Lease, Work } from '#libs/leases/leases.ts'
import { Member } from '#libs/leases/member.ts'
import { emptyRoster, type Roster } from '#libs/leases/roster.ts'
import type { RosterTable } from '#libs/leases/table.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { EventStore } from '#libs/store/store.ts'
import { collectingLog } from '#test/support/collectingLog.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

/** A table that all processes of a test share, which can be away, and lose everything. */
export class SharedTable {
  isAway = false
  readonly #rosters = new Map<string, { roster: Roster; revision: number }>()
  readonly #looks = new Set<() => void>()

  /** The table as one process sees it: it may be cut off alone. */
  seenBy(process: { isCutOff: boolean }): RosterTable {
    const mustBeThere = () => {
      if (this.isAway || process.isCutOff) throw new Error('the table is away')
    }
    return {
      read: async (service) => {
        mustBeThere()
        return this.#rosters.get(service) ?? { roster: emptyRoster, revision: 0 }
      },
      write: async (service, roster, revision) => {
        mustBeThere()
        const now = this.#rosters.get(service)?.revision ?? 0
        if (now !== revision) return 'conflict'
        this.#rosters.set(service, { roster, revision: revision + 1 })
        return 'written'
      },
      nudge: () => this.#looks.forEach((look) => look()),
      onNudge: (_, look) => {
        this.#looks.add(look)
        return { [Symbol.dispose]: () => void this.#looks.delete(look) }
      },
      async [Symbol.asyncDispose]() {},
    }
  }

  wipe(): void {
    this.#rosters.clear()
  }
}

/** One process that takes part in a service's work, and writes down what it does. */
export class Process {
  isCutOff = false
  readonly began: number[] = []
  readonly ended: string[] = []
  readonly stores = new Map<number, EventStore>()
  readonly member: Member

  constructor(name: string, town: Town, partitions: number) {
    const { clock, log, store, table } = town
    const take = async ({ partition, store: own }: Lease): Promise<Work> => {
      this.began.push(partition)
      this.stores.set(partition, own)
      return {
        failure: new Promise(() => {}),
        abandon: async () => void this.ended.push(`abandoned ${partition}`),
        [Symbol.asyncDispose]: async () => void this.ended.push(`gave up ${partition}`),
      }
    }
    const common = { clock, log, store, self: name, table: table.seenBy(this) }
    this.member = new Member({ ...common, service: 'health', partitions, take })
  }

  /** Stands still for good, as after kill -9: nobody hears of it. */
  die(): void {
    this.isCutOff = true
    this.member.look = () => {}
  }
}

/** Processes that share one store, one table and one clock. */
export class Town {
  readonly clock = createVirtualClock()
  readonly log = collectingLog()
  readonly store = openMemoryStore({ clock: this.clock })
  readonly table = new SharedTable()
  readonly #partitions: number

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  async process(name: string): Promise<Process> {
    const process = new Process(name, this, this.#partitions)
    await this.clock.settle()
    return process
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }
}
