import type { AskedDeployments } from './asked.ts'
import { lacks } from './needs.ts'
import type { Members } from './members.ts'
import type { Releases } from './releases.ts'
import type { Member } from './world.ts'

interface Need {
  readonly version: string
  readonly since: number
}

/**
 * The machines that have not got what they should have and are not on their way to it, by environment. Kept up to date machine by machine, so that one
 * that comes costs the same in a large fleet as in a small one.
 */
export class Behind {
  readonly #members: Members
  readonly #releases: Releases
  readonly #asked: AskedDeployments
  readonly #behind = new Map<string, Set<string>>()
  /** By machine, then by project. */
  readonly #needs = new Map<string, Map<string, Need>>()

  constructor(members: Members, releases: Releases, asked: AskedDeployments) {
    this.#members = members
    this.#releases = releases
    this.#asked = asked
  }

  in(environmentId: string): readonly Member[] {
    return [...(this.#behind.get(environmentId) ?? [])].flatMap((id) => this.#members.get(id) ?? [])
  }

  isNobody(environmentId: string): boolean {
    return (this.#behind.get(environmentId)?.size ?? 0) === 0
  }

  /** Since when the machine is known to need the release: from the first time that somebody asks. */
  since(machineId: string, projectId: string, version: string, nowMs: number): number {
    const own = this.#needs.get(machineId) ?? new Map<string, Need>()
    const known = own.get(projectId)
    if (known?.version === version) return known.since
    this.#needs.set(machineId, own.set(projectId, { version, since: nowMs }))
    return nowMs
  }

  /** @param environmentBefore where the machine was before it changed */
  changed(machineId: string, environmentBefore: string | undefined): void {
    this.#needs.delete(machineId)
    if (environmentBefore !== undefined) this.#behind.get(environmentBefore)?.delete(machineId)
    const member = this.#members.get(machineId)
    if (member !== undefined) this.#look(member, this.#releases.desired(member.environmentId))
  }

  /** Something was installed on the machine, or is being installed now, or is so no more. */
  touched(machineId: string): void {
    const member = this.#members.get(machineId)
    if (member !== undefined) this.#look(member, this.#releases.desired(member.environmentId))
  }

  desiredChanged(environmentId: string): void {
    const desired = this.#releases.desired(environmentId)
    for (const member of this.#members.in.registered(environmentId).values()) this.#look(member, desired)
  }

  #look(member: Member, desired: ReturnType<Releases['desired']>): void {
    const { machineId, environmentId } = member
    const known = this.#behind.get(environmentId)
    const isUnderWay = (projectId: string) => this.#asked.isUnderWay(machineId, projectId)
    if (!desired.some((one) => !isUnderWay(one.projectId) && lacks(member, environmentId, one))) {
      known?.delete(machineId)
      this.#needs.delete(machineId)
    } else if (known !== undefined) known.add(machineId)
    else this.#behind.set(environmentId, new Set([machineId]))
  }
}
