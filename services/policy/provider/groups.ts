import type { GroupAnswer, GroupMember } from '#contracts/providerGroup.ts'
import type { Instance, Inventory } from './inventory.ts'
import { index, type KnownMachine } from './match.ts'

interface Listing {
  /** When it was asked for, by the steady clock: what is in it is at least as new. */
  readonly askedAt: number
  readonly groups: ReadonlyMap<string, readonly Instance[]>
}

/** Who is in the groups of providers, as they were last listed. Kept in memory: it is asked for anew all the time. */
export class ProviderGroups {
  readonly #listings = new Map<string, Listing>()

  hear(provider: string, { machines }: Inventory, askedAt: number): void {
    const grouped = machines.filter(({ group }) => group != null)
    this.#listings.set(provider, { askedAt, groups: Map.groupBy(grouped, ({ group }) => group!) })
  }

  askedAt(provider: string): number | null {
    return this.#listings.get(provider)?.askedAt ?? null
  }

  /** @param machines those that can be meant; a member that is none of them, or could be several, has no id */
  answer(
    asked: { provider: string; group: string; environmentId: string },
    machines: Iterable<KnownMachine>,
  ): GroupAnswer {
    const { provider, group, environmentId } = asked
    const listing = this.#listings.get(provider)
    if (listing === undefined) return { provider, answeredAt: null, silence: null, members: [] }
    const find = index(machines)
    const members = (listing.groups.get(group) ?? []).flatMap((instance): readonly GroupMember[] => {
      if (instance.environment != null && instance.environment !== environmentId) return []
      const { found, as } = find(instance)
      const [only] = found
      const machineId = found.length === 1 && only !== undefined ? only.machineId : null
      return [{ machineId, name: only?.name ?? instance.name ?? as, state: instance.state }]
    })
    return { provider, answeredAt: listing.askedAt, silence: null, members }
  }
}
