import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { HealthEvent, HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Thresholds } from './watchdog.ts'

export interface Listed {
  readonly machineId: string
  readonly environmentId: string
  /** Disabled machines are not watched, and those without an agent send nothing that could be missed. */
  readonly watched: boolean
  /** What is known of it; nothing, when it has not been watched since that was recorded. */
  readonly status: HealthStatus
  /** Whether what was recorded of it is out of date and has to be forgotten. */
  readonly isStale: boolean
  /** The event that its next transitions follow from, when nobody but time causes them. */
  readonly causationId: string
  readonly correlationId: string
}

/** Its `status` is what was recorded. */
interface Entry extends Omit<Listed, 'watched'> {
  readonly registered: boolean
  readonly enabled: boolean
  readonly hasAgent: boolean
  readonly quarantined: boolean
}

const defaults: Thresholds = EnvironmentPolicy.parse({}).health

/** Whom to watch and with which thresholds, from the events of the registry and our own. Pure bookkeeping. */
export class Roster {
  readonly #policies = new Map<string, Thresholds>()
  readonly #machines = new Map<string, Entry>()

  thresholdsOf(environmentId: string): Thresholds {
    return this.#policies.get(environmentId) ?? defaults
  }

  membersOf(environmentId: string): readonly Listed[] {
    return this.all().filter((machine) => machine.environmentId === environmentId)
  }

  all(): readonly Listed[] {
    return [...this.#machines.values()].map(listed)
  }

  of(machineId: string): Listed | undefined {
    const machine = this.#machines.get(machineId)
    return machine && listed(machine)
  }

  apply(event: Recorded<MachineEvent | HealthEvent | EnvironmentEvent>): void {
    switch (event.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged':
        this.#policies.set(event.data.environmentId, event.data.policy.health)
        return
      case 'MachineRegistered': {
        const { environmentId, publicKey } = event.data
        return this.#set(event, { environmentId, registered: true, hasAgent: publicKey !== null })
      }
      case 'MachineChanged':
        return this.#set(event, { environmentId: event.data.environmentId })
      case 'MachineRestored':
        return this.#set(event, { environmentId: event.data.environmentId, registered: true })
      case 'MachineDeregistered':
        return this.#set(event, { registered: false, isStale: true })
      case 'MachineDisabled':
        return this.#set(event, { enabled: false, isStale: true })
      case 'MachineEnabled':
        return this.#set(event, { enabled: true })
      case 'MachineBecameHealthy':
        return this.#set(event, { status: 'healthy', isStale: false })
      case 'MachineBecameUnavailable':
        return this.#set(event, { status: 'unavailable', isStale: false })
      case 'MachineBecameDegraded':
        return this.#set(event, { status: 'degraded', isStale: false })
      case 'MachineBecameUnhealthy':
        return this.#set(event, { status: 'unhealthy', isStale: false })
      case 'MachineQuarantined':
        return this.#set(event, { quarantined: true, isStale: true })
      case 'MachineReleased':
        return this.#set(event, { quarantined: false })
      case 'HealthForgotten':
        return this.#set(event, { status: 'unknown', isStale: false })
      case 'EnvironmentRenamed':
      case 'MachineReregistered':
      case 'HealthCheckFailed':
      case 'HealthCheckPassed':
      case 'MachineProbeChanged':
        return
    }
  }

  #set({ data: { machineId }, meta }: Recorded<MachineEvent | HealthEvent>, part: Partial<Entry>): void {
    const { id: causationId, correlationId } = meta
    const known = this.#machines.get(machineId) ?? unlisted(machineId)
    this.#machines.set(machineId, { ...known, ...part, causationId, correlationId })
  }
}

/** What a machine was before it is known: of another environment, or not there. */
const unlisted = (machineId: string): Entry => ({
  machineId,
  environmentId: '',
  registered: false,
  enabled: true,
  hasAgent: false,
  quarantined: false,
  status: 'unknown',
  isStale: false,
  causationId: '',
  correlationId: '',
})

const listed = ({ registered, enabled, hasAgent, quarantined, ...entry }: Entry): Listed => ({
  ...entry,
  status: entry.isStale ? 'unknown' : entry.status,
  isStale: entry.isStale && entry.status !== 'unknown',
  watched: registered && enabled && hasAgent && !quarantined,
})
