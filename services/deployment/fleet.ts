import { workerRole, workersEnvironmentId } from '#contracts/eligibility.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import { statusAfter, type HealthEvent, type HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import { wholePolicy, type EnvironmentPolicy } from '#contracts/policySettings.ts'
import { isContactable, type FleetMachine } from './run/world.ts'

export type FleetEvent = MachineEvent | HealthEvent | EnvironmentEvent
type Newcomer = Extract<MachineEvent, { type: 'MachineRegistered' }>['data']

/** What this service knows of machines and environments, from their events. Health may come before registration. */
export class Fleet {
  readonly #machines = new Map<string, FleetMachine>()
  readonly #byEnvironment = new Map<string, Map<string, FleetMachine>>()
  readonly #health = new Map<string, Pick<FleetMachine, 'status' | 'statusSince'>>()
  readonly #policies = new Map<string, EnvironmentPolicy>()

  machine = (machineId: string): FleetMachine | undefined => this.#machines.get(machineId)

  /** Also machines that have been removed. */
  inEnvironment = (environmentId: string): Iterable<FleetMachine> =>
    this.#byEnvironment.get(environmentId)?.values() ?? []

  /** An environment's own workers come before those that serve everyone. */
  workersFor = (environmentId: string): readonly FleetMachine[] => [
    ...this.#workersIn(environmentId),
    ...(environmentId === workersEnvironmentId ? [] : this.#workersIn(workersEnvironmentId)),
  ]

  policyOf = (environmentId: string): EnvironmentPolicy | undefined => this.#policies.get(environmentId)

  /** Takes in what has happened; facts it does not care for change nothing. */
  apply(event: FleetEvent): void {
    switch (event.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged':
        return void this.#policies.set(event.data.environmentId, wholePolicy(event.data.policy))
      case 'MachineRegistered':
        return this.#register(event.data)
      case 'MachineRestored':
      case 'MachineChanged': {
        const { machineId, name, environmentId, roles } = event.data
        return this.#change(machineId, { name, environmentId, roles, registered: true })
      }
      case 'MachineDeregistered':
        // Should it come back, it must be heard before it is given work.
        this.#health.delete(event.data.machineId)
        return this.#change(event.data.machineId, { registered: false, status: 'unknown' })
      case 'MachineEnabled':
      case 'MachineDisabled':
        return this.#switch(event.data.machineId, event.type === 'MachineEnabled')
      case 'MachineQuarantined':
      case 'MachineReleased':
        return this.#change(event.data.machineId, { quarantined: event.type === 'MachineQuarantined' })
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
      case 'MachineBecameUnavailable':
      case 'HealthForgotten':
        return this.#feel(event.data.machineId, statusAfter[event.type], event.data.at)
      case 'EnvironmentRenamed':
      case 'MachineReregistered':
      case 'HealthCheckFailed':
      case 'HealthCheckPassed':
      case 'MachineProbeChanged':
        return
    }
  }

  /**
   * Takes in what deployments say of machines: that a task was given up there, and that it is known to have ended.
   * @returns the machine that this changes
   */
  follow(event: DeploymentEvent): string | null {
    if (event.type !== 'TargetMarkedDirty' && event.type !== 'TargetCleaned') return null
    const { machineId, taskId } = event.data
    const isDirty = event.type === 'TargetMarkedDirty'
    if (!isDirty && this.#machines.get(machineId)?.dirtyWith !== taskId) return null
    this.#change(machineId, { dirtyWith: isDirty ? taskId : null })
    return machineId
  }

  /** Whoever enables a machine says that it may work, whatever was given up on it. */
  #switch(machineId: string, enabled: boolean): void {
    this.#change(machineId, { enabled, ...(enabled && { dirtyWith: null }) })
  }

  #register({ machineId, name, environmentId, roles, publicKey }: Newcomer): void {
    const felt = this.#health.get(machineId) ?? { status: 'unknown', statusSince: 0 }
    const { enabled, quarantined } = this.#machines.get(machineId) ?? { enabled: true, quarantined: false }
    const who = { machineId, name, environmentId, roles, registered: true, hasAgent: publicKey !== null }
    this.#put({ ...who, enabled, quarantined, dirtyWith: null, ...felt })
  }

  #put(machine: FleetMachine): void {
    const { machineId, environmentId } = machine
    const before = this.#machines.get(machineId)
    if (before !== undefined && before.environmentId !== environmentId)
      this.#byEnvironment.get(before.environmentId)?.delete(machineId)
    this.#machines.set(machineId, machine)
    const members = this.#byEnvironment.get(environmentId)
    if (members !== undefined) members.set(machineId, machine)
    else this.#byEnvironment.set(environmentId, new Map([[machineId, machine]]))
  }

  #change(machineId: string, part: Partial<FleetMachine>): void {
    const known = this.#machines.get(machineId)
    if (known !== undefined) this.#put({ ...known, ...part })
  }

  #feel(machineId: string, status: HealthStatus, statusSince: number): void {
    this.#health.set(machineId, { status, statusSince })
    this.#change(machineId, { status, statusSince })
  }

  #workersIn(environmentId: string): readonly FleetMachine[] {
    return [...this.inEnvironment(environmentId)].filter(
      (machine) => machine.roles.includes(workerRole) && machine.enabled && isContactable(machine),
    )
  }
}
