import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { AgentCheck } from '#contracts/agent.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { hasRole } from '#contracts/eligibility.ts'
import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { MachineEvent, MachineFacts, RemovalCause } from '#contracts/machine.ts'
import { wholePolicy, type EnvironmentPolicy, type HealthCheck } from '#contracts/policySettings.ts'
import { Outstanding, type OutstandingTask } from './outstanding.ts'

export interface KnownMachine {
  readonly publicKey: string | null
  readonly environmentId: string
  readonly roles: readonly string[]
  /** Whether a person has disabled it: then it is left alone, and not checked either. */
  readonly disabled: boolean
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

/** What a machine is told in its welcome. */
export interface Terms extends Pace {
  readonly checks: readonly AgentCheck[]
}

/** What an event means for sessions that are open. */
export type News =
  | { readonly kind: 'removed'; readonly machineId: string; readonly cause: RemovalCause }
  | { readonly kind: 'quarantined'; readonly machineId: string; readonly detail: string }
  | { readonly kind: 'key-changed'; readonly machineId: string }
  /** Of one machine, or of all that belong to an environment. */
  | { readonly kind: 'terms-changed'; readonly machineId: string }
  | { readonly kind: 'terms-changed-of-all'; readonly environmentId: string }
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
  readonly #checks = new Map<string, readonly Check[]>()
  readonly tasks = new Outstanding()

  machine(machineId: string): KnownMachine | undefined {
    return this.#machines.get(machineId)
  }

  paceOf(environmentId: string): Pace {
    return this.#paces.get(environmentId) ?? defaultPace
  }

  /** How often the machine is to speak, and which checks it is to run. */
  termsOf(machineId: string): Terms {
    const machine = this.#machines.get(machineId)
    const pace = this.paceOf(machine?.environmentId ?? '')
    if (machine === undefined || machine.disabled) return { ...pace, checks: [] }
    return { ...pace, checks: checksFor(machine, this.#checks.get(machine.environmentId) ?? []) }
  }

  /** Takes in one event and answers what sessions must be told of it, if anything. */
  apply(event: Followed): News | null {
    if (event.type === 'EnvironmentCreated' || event.type === 'EnvironmentPolicyChanged') {
      return this.#setPolicy(event.data.environmentId, wholePolicy(event.data.policy))
    }
    if (event.type === 'MachineRegistered') return this.#register(event.data)
    if (event.type === 'MachineReregistered') {
      return this.#change(event.data.machineId, { description: describe(event.data.facts, event.data.attributes) })
    }
    if (event.type === 'MachineChanged') {
      const { machineId, environmentId, roles } = event.data
      return this.#change(machineId, { environmentId, roles })
    }
    if (event.type === 'MachineRestored') {
      const { machineId, environmentId, roles } = event.data
      return this.#change(machineId, { environmentId, roles, removal: null })
    }
    if (event.type === 'MachineQuarantined') {
      const { machineId, detail } = event.data
      this.#change(machineId, { quarantine: detail })
      return { kind: 'quarantined', machineId, detail }
    }
    if (event.type === 'MachineDeregistered') {
      const { machineId, cause } = event.data
      this.#change(machineId, { removal: cause })
      return { kind: 'removed', machineId, cause }
    }
    return this.#setAside(event) ?? this.#applyToTasks(event)
  }

  #setAside(event: Followed): News | null {
    if (event.type === 'MachineDisabled') return this.#change(event.data.machineId, { disabled: true })
    if (event.type === 'MachineEnabled') return this.#change(event.data.machineId, { disabled: false })
    if (event.type === 'MachineReleased') return this.#change(event.data.machineId, { quarantine: null })
    return null
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

  #setPolicy(environmentId: string, policy: EnvironmentPolicy): News | null {
    const before = [this.paceOf(environmentId), this.#checks.get(environmentId) ?? []]
    const { heartbeatEveryMs } = policy.health
    const checks = policy.health.checks.map(forAgents)
    const taskLeaseEveryMs = Math.max(1, Math.floor(policy.deployments.taskLeaseMs / signsPerLease))
    const pace = { heartbeatEveryMs, taskLeaseEveryMs }
    this.#paces.set(environmentId, pace)
    this.#checks.set(environmentId, checks)
    return isDeepStrictEqual(before, [pace, checks]) ? null : { kind: 'terms-changed-of-all', environmentId }
  }

  #register(data: Extract<MachineEvent, { type: 'MachineRegistered' }>['data']): News | null {
    const { machineId, publicKey, environmentId, roles, facts, attributes } = data
    const before = this.#machines.get(machineId)
    const { disabled, quarantine } = before ?? { disabled: false, quarantine: null }
    const told = this.termsOf(machineId)
    const description = describe(facts, attributes)
    const own = { publicKey, environmentId, roles, description, removal: null }
    this.#machines.set(machineId, { ...own, disabled, quarantine })
    if (before && before.publicKey !== publicKey) return { kind: 'key-changed', machineId }
    return this.#changedFrom(told, machineId)
  }

  #change(machineId: string, part: Partial<KnownMachine>): News | null {
    const known = this.#machines.get(machineId)
    if (known === undefined) return null
    const told = this.termsOf(machineId)
    this.#machines.set(machineId, { ...known, ...part })
    return this.#changedFrom(told, machineId)
  }

  #changedFrom(told: Terms, machineId: string): News | null {
    return isDeepStrictEqual(told, this.termsOf(machineId)) ? null : { kind: 'terms-changed', machineId }
  }
}

interface Check {
  readonly roles: readonly string[]
  readonly told: AgentCheck
}

/** Made once for each policy: what a machine is told of a check, without the roles that it is for. */
const forAgents = (check: HealthCheck): Check => ({ roles: check.roles, told: AgentCheck.parse(check) })

const checksFor = (machine: KnownMachine, checks: readonly Check[]): readonly AgentCheck[] =>
  checks.filter(({ roles }) => hasRole(machine, roles)).map(({ told }) => told)

const cancelled = (task: OutstandingTask | undefined, reason: string): News | null =>
  task ? { kind: 'cancel', task, reason } : null

/** The same for the same facts and attributes, in whatever order their fields stand. */
export function describe(facts: MachineFacts | null, attributes: Readonly<Record<string, string>>): string {
  const inOrder = (part: object | null) => Object.entries(part ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([inOrder(facts), inOrder(attributes)]))
    .digest('base64url')
}
