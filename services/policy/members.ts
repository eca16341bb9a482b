import type { HealthEvent, HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Installed, Member } from './world.ts'

/** The machines of one environment, and those of them that do not answer. */
interface Group {
  readonly registered: Map<string, Member>
  readonly unavailable: Map<string, Member>
}

const noGroup: Group = { registered: new Map(), unavailable: new Map() }

/** Machines by id and by environment. What is said of a machine before it is known is kept until it is. */
export class Members {
  readonly #members = new Map<string, Member>()
  readonly #groups = new Map<string, Group>()

  get(machineId: string): Member | undefined {
    return this.#members.get(machineId)
  }

  registered(environmentId: string): ReadonlyMap<string, Member> {
    return (this.#groups.get(environmentId) ?? noGroup).registered
  }

  unavailable(environmentId: string): ReadonlyMap<string, Member> {
    return (this.#groups.get(environmentId) ?? noGroup).unavailable
  }

  install(machineId: string, projectId: string, release: Installed): void {
    const installed = new Map(this.#members.get(machineId)?.installed).set(projectId, release)
    this.#set(machineId, { installed })
  }

  /** A deployment waited for the machine in vain; it counts until the machine is heard again. */
  notContactable(machineId: string, deploymentId: string): void {
    this.#set(machineId, { notContactableIn: deploymentId })
  }

  apply(event: MachineEvent | HealthEvent): void {
    const { machineId } = event.data
    switch (event.type) {
      case 'MachineRegistered': {
        const { name, environmentId, roles, publicKey } = event.data
        return this.#set(machineId, { name, environmentId, roles, registered: true, hasAgent: publicKey !== null })
      }
      case 'MachineRestored':
      case 'MachineChanged': {
        const { name, environmentId, roles } = event.data
        return this.#set(machineId, { name, environmentId, roles, registered: true })
      }
      case 'MachineDeregistered':
        return this.#set(machineId, { registered: false, ...unheard })
      case 'MachineEnabled':
        return this.#set(machineId, { enabled: true })
      case 'MachineDisabled':
        return this.#set(machineId, { enabled: false, ...unheard })
      case 'MachineBecameHealthy':
        return this.#feel(machineId, 'healthy', null)
      case 'MachineBecameDegraded':
        return this.#feel(machineId, 'degraded', null)
      case 'MachineBecameUnhealthy':
        return this.#feel(machineId, 'unhealthy', null)
      case 'MachineQuarantined':
        return this.#set(machineId, { quarantined: true, ...unheard })
      case 'MachineReleased':
        return this.#set(machineId, { quarantined: false })
      case 'MachineBecameUnavailable':
        return this.#feel(machineId, 'unavailable', event.data.at)
      case 'HealthForgotten':
        return this.#feel(machineId, 'unknown', null)
      case 'MachineReregistered':
      case 'HealthCheckFailed':
      case 'HealthCheckPassed':
      case 'MachineProbeChanged':
        return
    }
  }

  #feel(machineId: string, status: HealthStatus, unavailableSince: number | null): void {
    this.#set(machineId, { status, unavailableSince, notContactableIn: null })
  }

  #set(machineId: string, part: Partial<Member>): void {
    const before = this.#members.get(machineId) ?? { ...unknown, machineId, installed: new Map<string, Installed>() }
    const now = { ...before, ...part }
    this.#members.set(machineId, now)
    if (before.environmentId !== now.environmentId) {
      const { registered, unavailable } = this.#group(before.environmentId)
      registered.delete(machineId)
      unavailable.delete(machineId)
    }
    const { registered, unavailable } = this.#group(now.environmentId)
    file(registered, now, now.registered)
    file(unavailable, now, now.registered && now.enabled && !now.quarantined && now.status === 'unavailable')
  }

  #group(environmentId: string): Group {
    const known = this.#groups.get(environmentId)
    if (known !== undefined) return known
    const group: Group = { registered: new Map(), unavailable: new Map() }
    this.#groups.set(environmentId, group)
    return group
  }
}

const file = (drawer: Map<string, Member>, member: Member, belongs: boolean): void => {
  if (belongs) drawer.set(member.machineId, member)
  else drawer.delete(member.machineId)
}

/** Nobody listens to it from now on, so nothing that was known of it may be held against it later. */
const unheard = { status: 'unknown', unavailableSince: null, notContactableIn: null } as const

const unknown: Omit<Member, 'machineId' | 'installed'> = {
  name: '',
  environmentId: '',
  roles: [],
  registered: false,
  hasAgent: false,
  enabled: true,
  quarantined: false,
  ...unheard,
}
