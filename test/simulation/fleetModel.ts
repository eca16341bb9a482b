import type { HealthStatus } from '#contracts/health.ts'
import type { RemovalCause } from '#contracts/machine.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { reactTo, type AnyEvent, type EventOf, type Reactions } from './events.ts'

export interface ModelMachine {
  readonly machineId: string
  name: string
  environmentId: string
  roles: readonly string[]
  registered: boolean
  enabled: boolean
  status: HealthStatus
  /** By the observer's clock; null while it answers. */
  unavailableSince: number | null
  removal: RemovalCause | null
}

/** Machines and environments, as the log tells of them. */
export class Fleet {
  readonly machines = new Map<string, ModelMachine>()
  readonly policies = new Map<string, EnvironmentPolicy>()
  /** Machines whose removal is held back, by machine. */
  readonly withheld = new Set<string>()
  /** Machines that a person let go. */
  readonly released = new Set<string>()

  readonly #setPolicy = ({ data }: EventOf<'EnvironmentCreated' | 'EnvironmentPolicyChanged'>) =>
    void this.policies.set(data.environmentId, data.policy)

  readonly #place = ({ data }: EventOf<'MachineRegistered' | 'MachineRestored' | 'MachineChanged'>) => {
    const { machineId, name, environmentId, roles } = data
    this.#set(machineId, { name, environmentId, roles, registered: true })
  }

  readonly #reactions: Reactions<void> = {
    EnvironmentCreated: this.#setPolicy,
    EnvironmentPolicyChanged: this.#setPolicy,
    MachineRegistered: this.#place,
    MachineRestored: this.#place,
    MachineChanged: this.#place,
    MachineDeregistered: ({ data }) => this.#set(data.machineId, { registered: false, removal: data.cause }),
    MachineEnabled: ({ data }) => this.#set(data.machineId, { enabled: true }),
    MachineDisabled: ({ data }) => this.#set(data.machineId, { enabled: false }),
    MachineBecameHealthy: ({ data }) => this.#set(data.machineId, { status: 'healthy', unavailableSince: null }),
    MachineBecameUnavailable: ({ data }) =>
      this.#set(data.machineId, { status: 'unavailable', unavailableSince: data.at }),
    HealthForgotten: ({ data }) => this.#set(data.machineId, { status: 'unknown', unavailableSince: null }),
    RemovalWithheld: ({ data }) => void this.withheld.add(data.machineId),
    RemovalRequested: ({ data }) => void this.withheld.delete(data.machineId),
    RemovalsResumed: ({ data }) => {
      for (const machineId of data.machineIds) {
        this.withheld.delete(machineId)
        if (data.by === 'person') this.released.add(machineId)
      }
    },
  }

  registeredIn(environmentId: string): readonly ModelMachine[] {
    return [...this.machines.values()].filter((one) => one.registered && one.environmentId === environmentId)
  }

  apply(event: AnyEvent): void {
    reactTo(this.#reactions, event)
  }

  #set(machineId: string, part: Partial<ModelMachine>): void {
    Object.assign(this.#machine(machineId), part)
  }

  #machine(machineId: string): ModelMachine {
    const known = this.machines.get(machineId)
    if (known) return known
    const blank: ModelMachine = {
      ...{ machineId, name: '', environmentId: '', roles: [], registered: false, enabled: true },
      ...{ status: 'unknown', unavailableSince: null, removal: null },
    }
    this.machines.set(machineId, blank)
    return blank
  }
}
