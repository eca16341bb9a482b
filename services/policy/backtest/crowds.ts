import { isSuspect } from './attention.ts'
import type { Member, World } from '../world.ts'

interface Counted {
  readonly value: string | undefined
  readonly kind: 'silent' | 'terminated'
}
interface Crowd {
  silent: number
  terminated: number
}

/**
 * How many machines of an environment are silent, in all and by failure domain: enough to know that no guard can have
 * anything to do with a fact, without asking it. It may be wrong only by saying that one might.
 */
export class Crowds {
  readonly #environmentId: string
  readonly #world: World
  readonly #counted = new Map<string, Counted>()
  #all: Crowd = { silent: 0, terminated: 0 }
  readonly #byValue = new Map<string, Crowd>()
  #attribute: string | null = null

  constructor(environmentId: string, world: World) {
    this.#environmentId = environmentId
    this.#world = world
  }

  /** Counts anew, since everything may be otherwise. */
  recount(): void {
    this.#attribute = this.#guard?.failureDomain ?? null
    this.#all = { silent: 0, terminated: 0 }
    this.#counted.clear()
    this.#byValue.clear()
    for (const member of this.#world.suspects(this.#environmentId)) this.#enter(member)
  }

  /** @returns whether a guard may have to do with the machine, as it was before the change or as it is after it */
  around(machineId: string, change: () => void): boolean {
    const before = this.#mayTrip(this.#world.member(machineId))
    change()
    this.#leave(machineId)
    const now = this.#world.member(machineId)
    if (now !== undefined && isSuspect(now, this.#environmentId)) this.#enter(now)
    return before || this.#mayTrip(now)
  }

  get #guard() {
    return this.#world.policyOf(this.#environmentId)?.policy.guard
  }

  #mayTrip(member: Member | undefined): boolean {
    const guard = this.#guard
    if (guard === undefined || !guard.enabled) return false
    const isMany = ({ silent, terminated }: Crowd, registered: number) =>
      silent > guard.floor && silent > guard.share * (registered - terminated)
    if (isMany(this.#all, this.#world.registered(this.#environmentId))) return true
    const value = this.#valueOf(member)
    const crowd = value === undefined ? undefined : this.#byValue.get(value)
    return crowd !== undefined && isMany(crowd, this.#world.registeredIn(this.#environmentId, value!))
  }

  #enter(member: Member): void {
    const kind = member.providerState === 'terminated' ? 'terminated' : 'silent'
    const value = this.#valueOf(member)
    this.#counted.set(member.machineId, { value, kind })
    this.#all[kind] += 1
    if (value === undefined) return
    const crowd = this.#byValue.get(value) ?? { silent: 0, terminated: 0 }
    this.#byValue.set(value, crowd)
    crowd[kind] += 1
  }

  #leave(machineId: string): void {
    const counted = this.#counted.get(machineId)
    if (counted === undefined) return
    const { value, kind } = counted
    this.#counted.delete(machineId)
    this.#all[kind] -= 1
    if (value !== undefined) this.#byValue.get(value)![kind] -= 1
  }

  #valueOf(member: Member | undefined): string | undefined {
    return this.#attribute === null ? undefined : member?.attributes[this.#attribute]
  }
}
