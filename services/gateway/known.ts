import { createHash } from 'node:crypto'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { MachineEvent, MachineFacts, RemovalCause } from '#contracts/machine.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { Outstanding, type OutstandingTask } from './outstanding.ts'

export interface KnownMachine {
  readonly publicKey: string | null
  readonly environmentId: string
  /** A digest of what the machine has said of itself, to see whether it says something new. */
  readonly description: string
  /** Why it may not work until a person has looked; null while it may. */
  readonly quarantine: string | null
  /** null while the machine is registered. */
  readonly removal: RemovalCause | null
}

/** How often machines of an environment give signs of life. */
export interface Pace {
  readonly heartbeatEveryMs: number
  readonly taskLeaseEveryMs: number
}

/** What an event means for sessions that are open. */
export type News =
  | { readonly kind: 'removed'; readonly machineId: string; readonly cause: RemovalCause }
  | { readonly kind: 'quarantined'; readonly machineId: string; readonly detail: string }
  | { readonly kind: 'key-changed'; readonly machineId: string }
  | { readonly kind: 'pace-changed'; readonly environmentId: string }
  | { readonly kind: 'task'; readonly task: OutstandingTask }
  | { readonly kind: 'cancel'; readonly task: OutstandingTask; readonly reason: string }

export type Followed = MachineEvent | EnvironmentEvent | DeploymentEvent

const defaultPace: Pace = { heartbeatEveryMs: 10_000, taskLeaseEveryMs: 30_000 }
/** Signs of life in one lease: some may get lost without the lease running out. */
const signsPerLease = 4
const endings = ['DeploymentSucceeded', 'DeploymentFailed', 'DeploymentCancelled'] as const
const hasEnded = (event: Followed): event is Extract<DeploymentEvent, { type: (typeof endings)[number] }> =>
  (endings as readonly string[]).includes(event.type)

/** What the gateway knows of machines and their work, from the events of those who decide it. */
export class Known {
  readonly #machines = new Map<string, KnownMachine>()
  readonly #paces = new Map<string, Pace>()
  readonly tasks = new Outstanding()

  machine(machineId: string): KnownMachine | undefined {
    return this.#machines.get(machineId)
  }

  paceOf(environmentId: string): Pace {
    return this.#paces.get(environmentId) ?? defaultPace
  }

  /** Takes in one event and answers what sessions must be told of it, if anything. */
  apply(event: Followed): News | null {
    if (event.type === 'EnvironmentCreated' || event.type === 'EnvironmentPolicyChanged') {
      return this.#setPace(event.data.environmentId, event.data.policy)
    }
    if (event.type === 'MachineRegistered') return this.#register(event.data)
    if (event.type === 'MachineReregistered') {
      return this.#change(event.data.machineId, { description: describe(event.data.facts, event.data.attributes) })
    }
    if (event.type === 'MachineChanged') {
      return this.#change(event.data.machineId, { environmentId: event.data.environmentId })
    }
    if (event.type === 'MachineRestored') {
      return this.#change(event.data.machineId, { environmentId: event.data.environmentId, removal: null })
    }
    if (event.type === 'MachineQuarantined') {
      const { machineId, detail } = event.data
      this.#change(machineId, { quarantine: detail })
      return { kind: 'quarantined', machineId, detail }
    }
    if (event.type === 'MachineReleased') return this.#change(event.data.machineId, { quarantine: null })
    if (event.type === 'MachineDeregistered') {
      const { machineId, cause } = event.data
      this.#change(machineId, { removal: cause })
      return { kind: 'removed', machineId, cause }
    }
    return this.#applyToTasks(event)
  }

  #applyToTasks(event: Followed): News | null {
    if (event.type === 'TaskDispatched') return { kind: 'task', task: this.tasks.add(event.data) }
    if (event.type === 'TaskLost') return cancelled(this.tasks.end(event.data.taskId), event.data.reason)
    if (event.type === 'TaskCancelRequested') {
      return cancelled(this.tasks.cancel(event.data.taskId, event.data.reason), event.data.reason)
    }
    if (event.type === 'TaskSucceeded' || event.type === 'TaskFailed') this.tasks.end(event.data.taskId)
    if (hasEnded(event)) this.tasks.endAll(event.data.deploymentId)
    return null
  }

  #setPace(environmentId: string, policy: EnvironmentPolicy): News | null {
    const before = this.paceOf(environmentId)
    const { heartbeatEveryMs } = policy.health
    const taskLeaseEveryMs = Math.max(1, Math.floor(policy.deployments.taskLeaseMs / signsPerLease))
    this.#paces.set(environmentId, { heartbeatEveryMs, taskLeaseEveryMs })
    const isSame = before.heartbeatEveryMs === heartbeatEveryMs && before.taskLeaseEveryMs === taskLeaseEveryMs
    return isSame ? null : { kind: 'pace-changed', environmentId }
  }

  #register(data: Extract<MachineEvent, { type: 'MachineRegistered' }>['data']): News | null {
    const { machineId, publicKey, environmentId, facts, attributes } = data
    const before = this.#machines.get(machineId)
    const description = describe(facts, attributes)
    const quarantine = before?.quarantine ?? null
    this.#machines.set(machineId, { publicKey, environmentId, description, quarantine, removal: null })
    return before && before.publicKey !== publicKey ? { kind: 'key-changed', machineId } : null
  }

  #change(machineId: string, part: Partial<KnownMachine>): null {
    const known = this.#machines.get(machineId)
    if (known) this.#machines.set(machineId, { ...known, ...part })
    return null
  }
}

const cancelled = (task: OutstandingTask | undefined, reason: string): News | null =>
  task ? { kind: 'cancel', task, reason } : null

/** The same for the same facts and attributes, in whatever order their fields stand. */
export function describe(facts: MachineFacts | null, attributes: Readonly<Record<string, string>>): string {
  const inOrder = (part: object | null) => Object.entries(part ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([inOrder(facts), inOrder(attributes)]))
    .digest('base64url')
}
