import type { HealthEvent, HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import { Groups } from './groups.ts'
import type { Installed, Member } from './world.ts'

/** Machines by id and by environment. What is said of a machine before it is known is kept until it is. */
export class Members {
  readonly #members = new Map<string, Member>()
  readonly #groups = new Groups()
  /** Machines that fell silent and were not heard since, also when they were removed for it. */
  readonly #missed = new Set<string>()

  get(machineId: string): Member | undefined {
    return this.#members.get(machineId)
  }

  /** Those of an environment, by what may have to be done about them. */
  get in(): Omit<Groups, 'file' | 'returned'> {
    return this.#groups
  }

  install(machineId: string, projectId: string, release: Installed): void {
    const installed = new Map(this.#members.get(machineId)?.installed).set(projectId, release)
    this.set(machineId, { installed })
  }

  /** A deployment waited for the machine in vain; it counts until the machine is heard again. */
  notContactable(machineId: string, deploymentId: string): void {
    this.set(machineId, { notContactableIn: deploymentId })
  }

  /** A removal was given up since the machine answers: it was late, and nobody had said that it no longer is. */
  answered(machineId: string): void {
    this.set(machineId, { lateSince: null })
  }

  /** What the registry says of a machine. */
  list(event: MachineEvent): void {
    const { machineId } = event.data
    switch (event.type) {
      case 'MachineRegistered': {
        const { name, environmentId, roles, attributes, publicKey } = event.data
        const hasAgent = publicKey !== null
        return this.set(machineId, { name, environmentId, roles, attributes, hasAgent, registered: true, ...fresh })
      }
      case 'MachineRestored': {
        const { name, environmentId, roles } = event.data
        return this.set(machineId, { name, environmentId, roles, registered: true, ...fresh })
      }
      case 'MachineChanged': {
        const { name, environmentId, roles } = event.data
        // Another environment may have another provider.
        const moved = this.#members.get(machineId)?.environmentId !== environmentId
        return this.set(machineId, { name, environmentId, roles, registered: true, ...(moved ? unasked : {}) })
      }
      case 'MachineReregistered':
        return this.set(machineId, { attributes: event.data.attributes })
      case 'MachineDeregistered':
        return this.set(machineId, { registered: false, ...unheard, ...fresh })
      case 'MachineEnabled':
        return this.set(machineId, { enabled: true })
      case 'MachineDisabled':
        this.#missed.delete(machineId)
        return this.set(machineId, { enabled: false, ...unheard })
      case 'MachineQuarantined':
        this.#missed.delete(machineId)
        return this.set(machineId, { quarantined: true, ...unheard })
      case 'MachineReleased':
        return this.set(machineId, { quarantined: false })
      case 'MachineProbeChanged':
        return
    }
  }

  /** What health says of a machine. */
  feel(event: HealthEvent): void {
    const { machineId } = event.data
    switch (event.type) {
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
        return this.#hear(machineId, answering[event.type], event.data.at)
      case 'MachineBecameUnavailable':
        return this.#fallSilent(machineId, event.data.at)
      case 'HealthForgotten':
        return this.set(machineId, unheard)
      case 'HealthCheckFailed':
        return event.data.check === 'heartbeat' ? this.#late(machineId, event.data.at) : undefined
      case 'HealthCheckPassed':
        return
    }
  }

  set(machineId: string, part: Partial<Member>): void {
    const before = this.#members.get(machineId) ?? { ...unknown, machineId, installed: new Map<string, Installed>() }
    const now = { ...before, ...part }
    this.#members.set(machineId, now)
    this.#groups.file(before, now)
  }

  #hear(machineId: string, status: HealthStatus, at: number): void {
    this.#feel(machineId, status, at)
    if (this.#missed.delete(machineId)) this.#groups.returned(this.#members.get(machineId)!, at)
  }

  #feel(machineId: string, status: HealthStatus, at: number): void {
    this.set(machineId, { ...unheard, status, startedAt: this.#startedAt(machineId, at) })
  }

  #late(machineId: string, at: number): void {
    this.set(machineId, { lateSince: at, startedAt: this.#startedAt(machineId, at) })
  }

  /** That it was late before is part of the same spell. */
  #fallSilent(machineId: string, at: number): void {
    const { lateSince = null } = this.#members.get(machineId) ?? {}
    this.#feel(machineId, 'unavailable', at)
    this.#missed.add(machineId)
    this.set(machineId, { unavailableSince: at, lateSince })
  }

  #startedAt(machineId: string, at: number): number {
    return this.#members.get(machineId)?.startedAt ?? at
  }
}

const answering = {
  MachineBecameHealthy: 'healthy',
  MachineBecameDegraded: 'degraded',
  MachineBecameUnhealthy: 'unhealthy',
} as const

/** Nobody listens to it from now on, so nothing that was known of it may be held against it later. */
const unheard = { status: 'unknown', unavailableSince: null, lateSince: null, notContactableIn: null } as const

/** What was said of an earlier life under the same id says nothing of this one. */
const unasked = { providerState: null, providerSaidAt: null } as const
const fresh = { startedAt: null, ...unasked } as const

const unknown: Omit<Member, 'machineId' | 'installed'> = {
  name: '',
  environmentId: '',
  roles: [],
  attributes: {},
  registered: false,
  hasAgent: false,
  enabled: true,
  quarantined: false,
  ...unheard,
  ...fresh,
}
