import { Returns, type Back } from './returns.ts'
import type { Member } from './world.ts'

/** The machines of one environment, and those of them that somebody may have to do something about. */
interface Group {
  readonly registered: Map<string, Member>
  readonly unavailable: Map<string, Member>
  readonly suspects: Map<string, Member>
  /** The attribute that tells failure domains apart, and how many machines have each of its values. */
  attribute: string | null
  readonly sizes: Map<string, number>
  readonly returns: Returns
}

const emptyGroup = (attribute: string | null = null): Group => ({
  ...{ registered: new Map<string, Member>(), unavailable: new Map<string, Member>() },
  ...{ suspects: new Map<string, Member>(), attribute, sizes: new Map<string, number>() },
  returns: new Returns(),
})
const nobody = emptyGroup()

/** Machines by environment, filed so that no question costs more than what it is about. */
export class Groups {
  readonly #groups = new Map<string, Group>()

  registered(environmentId: string): ReadonlyMap<string, Member> {
    return this.#of(environmentId).registered
  }

  unavailable(environmentId: string): ReadonlyMap<string, Member> {
    return this.#of(environmentId).unavailable
  }

  suspects(environmentId: string): ReadonlyMap<string, Member> {
    return this.#of(environmentId).suspects
  }

  registeredIn(environmentId: string, domainValue: string): number {
    return this.#of(environmentId).sizes.get(domainValue) ?? 0
  }

  /** Machines that answer again after they had been unavailable. */
  returnedSince(environmentId: string, sinceMs: number, domainValue?: string): Back {
    return this.#of(environmentId).returns.since(sinceMs, domainValue)
  }

  returned({ environmentId, machineId, attributes }: Member, at: number): void {
    const group = this.#open(environmentId)
    const domainValue = group.attribute === null ? undefined : attributes[group.attribute]
    group.returns.add({ machineId, domainValue, at })
  }

  /** Says by which attribute the machines of an environment are told apart from now on. */
  divideBy(environmentId: string, attribute: string | null): void {
    const group = this.#open(environmentId)
    if (group.attribute === attribute) return
    group.attribute = attribute
    group.sizes.clear()
    for (const member of group.registered.values()) count(group, member, 1)
  }

  file(before: Member, now: Member): void {
    const { machineId } = now
    const old = this.#open(before.environmentId)
    if (old.registered.has(machineId)) count(old, before, -1)
    const group = this.#open(now.environmentId)
    if (old !== group) for (const drawer of [old.registered, old.unavailable, old.suspects]) drawer.delete(machineId)
    if (now.registered) count(group, now, 1)
    put(group.registered, now, now.registered)
    const watched = now.registered && now.enabled && !now.quarantined
    const silent = watched && now.status === 'unavailable'
    put(group.unavailable, now, silent)
    put(group.suspects, now, silent || (watched && now.providerState === 'terminated'))
  }

  #of(environmentId: string): Group {
    return this.#groups.get(environmentId) ?? nobody
  }

  #open(environmentId: string): Group {
    const known = this.#groups.get(environmentId)
    if (known !== undefined) return known
    const group = emptyGroup()
    this.#groups.set(environmentId, group)
    return group
  }
}

const put = (drawer: Map<string, Member>, member: Member, belongs: boolean): void => {
  if (belongs) drawer.set(member.machineId, member)
  else drawer.delete(member.machineId)
}

function count({ attribute, sizes }: Group, { attributes }: Member, change: number): void {
  const value = attribute === null ? undefined : attributes[attribute]
  if (value !== undefined) sizes.set(value, (sizes.get(value) ?? 0) + change)
}
