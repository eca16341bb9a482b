import { hasRole } from '#contracts/eligibility.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import { statusAfter, type HealthEvent, type HealthStatus } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Recorded } from '#contracts/message.ts'
import { EnvironmentPolicy, wholePolicy } from '#contracts/policySettings.ts'
import type { Probe } from '#contracts/probe.ts'

export interface Listed {
  readonly machineId: string
  readonly environmentId: string
  /** Disabled machines are not watched, and those without an agent send nothing that could be missed. */
  readonly watched: boolean
  /** How the server itself looks at it; null where it does not, since it is watched or nobody is to look after it. */
  readonly probe: Probe | null
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
  readonly roles: readonly string[]
  readonly registered: boolean
  readonly enabled: boolean
  readonly hasAgent: boolean
  readonly quarantined: boolean
  /** The checks that do not pass, as far as was recorded. */
  readonly failing: ReadonlySet<string>
}

type HealthSettings = EnvironmentPolicy['health']
const defaults: HealthSettings = EnvironmentPolicy.parse({}).health

/** Whom to watch and with which thresholds, from the events of the registry and our own. Pure bookkeeping. */
export class Roster {
  readonly #policies = new Map<string, HealthSettings>()
  readonly #machines = new Map<string, Entry>()

  thresholdsOf(environmentId: string): HealthSettings {
    return this.#policies.get(environmentId) ?? defaults
  }

  /** The checks of a machine that do not pass. */
  failingOf(machineId: string): readonly string[] {
    return [...(this.#machines.get(machineId)?.failing ?? [])]
  }

  /** Whether the policy has a machine make this check. */
  makesCheck(machineId: string, check: string): boolean {
    const machine = this.#machines.get(machineId)
    if (machine === undefined) return false
    const { checks } = this.#policies.get(machine.environmentId) ?? defaults
    return checks.some(({ name, roles }) => name === check && hasRole(machine, roles))
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
        this.#policies.set(event.data.environmentId, wholePolicy(event.data.policy).health)
        return
      case 'MachineRegistered':
        return this.#set(event, { ...placeOf(event.data), hasAgent: event.data.publicKey !== null })
      case 'MachineChanged':
      case 'MachineRestored':
        return this.#set(event, placeOf(event.data))
      case 'MachineDeregistered':
        return this.#set(event, { registered: false, isStale: true })
      case 'MachineDisabled':
        return this.#set(event, { enabled: false, isStale: true })
      case 'MachineEnabled':
        return this.#set(event, { enabled: true })
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
      case 'MachineBecameUnavailable':
        return this.#set(event, { status: statusAfter[event.type], isStale: false })
      case 'MachineProbeChanged':
        return this.#set(event, this.#probing(event.data))
      case 'MachineQuarantined':
      case 'MachineReleased': {
        const quarantined = event.type === 'MachineQuarantined'
        return this.#set(event, quarantined ? { quarantined, isStale: true } : { quarantined })
      }
      case 'HealthCheckFailed':
      case 'HealthCheckPassed':
        return this.#setFailing(event)
      case 'HealthForgotten':
        return this.#set(event, { status: 'unknown', isStale: false, failing: new Set() })
      case 'EnvironmentRenamed':
      case 'MachineReregistered':
        return
    }
  }

  /** The heartbeat has a watch of its own. Nothing else follows from a check, so it is nobody's cause. */
  #setFailing(event: Recorded<Extract<HealthEvent, { type: `HealthCheck${string}` }>>): void {
    const { machineId, check } = event.data
    const known = this.#machines.get(machineId) ?? unlisted(machineId)
    const failing = new Set(known.failing)
    if (event.type === 'HealthCheckPassed') failing.delete(check)
    else if (check !== 'heartbeat') failing.add(check)
    this.#machines.set(machineId, { ...known, failing })
  }

  /** Of a machine that has no agent, nobody knows anything any more once nobody looks at it. */
  #probing({ machineId, probe }: { machineId: string; probe: Probe | null }): Partial<Entry> {
    const isLost = probe === null && this.#machines.get(machineId)?.hasAgent !== true
    return isLost ? { probe, isStale: true } : { probe }
  }

  #set({ data: { machineId }, meta }: Recorded<MachineEvent | HealthEvent>, part: Partial<Entry>): void {
    const { id: causationId, correlationId } = meta
    const known = this.#machines.get(machineId) ?? unlisted(machineId)
    this.#machines.set(machineId, { ...known, ...part, causationId, correlationId })
  }
}

const placeOf = ({ environmentId, roles }: Pick<Entry, 'environmentId' | 'roles'>) => ({
  ...{ environmentId, roles },
  registered: true,
})

/** What a machine was before it is known: of another environment, or not there. */
const unlisted = (machineId: string): Entry => ({
  machineId,
  environmentId: '',
  roles: [],
  registered: false,
  enabled: true,
  hasAgent: false,
  probe: null,
  quarantined: false,
  failing: new Set(),
  status: 'unknown',
  isStale: false,
  causationId: '',
  correlationId: '',
})

function listed(machine: Entry): Listed {
  const { machineId, environmentId, causationId, correlationId, status, isStale, hasAgent, probe } = machine
  const isLookedAfter = machine.registered && machine.enabled && !machine.quarantined
  return {
    ...{ machineId, environmentId, causationId, correlationId },
    status: isStale ? 'unknown' : status,
    isStale: isStale && status !== 'unknown',
    watched: isLookedAfter && hasAgent,
    probe: isLookedAfter && !hasAgent ? probe : null,
  }
}
