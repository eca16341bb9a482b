import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { silentSince } from '../bench.ts'
import type { Member, World } from '../world.ts'
import { Dues } from './dues.ts'

/**
 * Which machines have to be looked at, and when at the earliest. Most silences end before the policy has anything to do
 * with them: those wait in a heap and cost nothing. What is left is looked at whenever something changes.
 */
export class Attention {
  readonly #environmentId: string
  readonly #world: World
  readonly #dues = new Dues()
  readonly #attended = new Set<string>()

  constructor(environmentId: string, world: World) {
    this.#environmentId = environmentId
    this.#world = world
  }

  /** When the first of those that wait may be due. */
  get earliestMs(): number {
    let due = this.#dues.earliest
    // Most have answered long before, and are not worth a look.
    while (due !== undefined && !this.#isSilentSince(due.machineId, due.since)) {
      this.#dues.take()
      due = this.#dues.earliest
    }
    return due?.atMs ?? Number.POSITIVE_INFINITY
  }

  /** Everybody who may be in question is looked at once more. */
  all(): void {
    this.#dues.clear()
    this.#attended.clear()
    for (const { machineId } of this.#world.suspects(this.#environmentId)) this.#attended.add(machineId)
  }

  attend(machineId: string): void {
    this.#attended.add(machineId)
  }

  /**
   * Something has happened to the machine.
   * @returns whether it has to be looked at now
   */
  expect(before: Member | undefined, now: Member, policy: EnvironmentPolicy): boolean {
    const { machineId, providerState, notContactableIn } = now
    if (this.#attended.has(machineId)) return true
    if (!isSuspect(now, this.#environmentId)) return false
    const since = silentSince(now)
    if (providerState === 'terminated' || notContactableIn !== null || since === null) {
      this.#attended.add(machineId)
      return true
    }
    const isSame = before !== undefined && isSuspect(before, this.#environmentId) && silentSince(before) === since
    const atMs = since + policy.dynamicRegistration.removeAfterMs
    if (!isSame) this.#dues.add({ atMs, machineId, since })
    return false
  }

  /** Those that are to be looked at by now. Whoever is in question no more is forgotten. */
  *due(nowMs: number): Iterable<Member> {
    while (this.earliestMs <= nowMs) this.#attended.add(this.#dues.take()!.machineId)
    for (const machineId of this.#attended) {
      const member = this.#world.member(machineId)
      if (member !== undefined && isSuspect(member, this.#environmentId)) yield member
      else this.#attended.delete(machineId)
    }
  }

  #isSilentSince(machineId: string, since: number): boolean {
    const member = this.#world.member(machineId)
    return member !== undefined && isSuspect(member, this.#environmentId) && silentSince(member) === since
  }
}

/** Whether the removal of the machine is in question at all: it does not answer, or its provider says that it is gone. */
export const isSuspect = (
  { environmentId, registered, enabled, quarantined, status, providerState }: Member,
  here: string,
): boolean =>
  (status === 'unavailable' || providerState === 'terminated') &&
  environmentId === here &&
  registered &&
  enabled &&
  !quarantined
