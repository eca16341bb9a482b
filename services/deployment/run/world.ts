import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { HealthStatus } from '#contracts/health.ts'
import type { GroupAnswer } from '#contracts/providerGroup.ts'
import type { Created, Run } from './state.ts'
import type { Servings } from './swap/servings.ts'

/** A machine as a deployment sees it. */
export interface FleetMachine {
  readonly machineId: string
  readonly name: string
  readonly environmentId: string
  readonly roles: readonly string[]
  readonly registered: boolean
  readonly hasAgent: boolean
  readonly enabled: boolean
  readonly quarantined: boolean
  /** A task that was given up and may still run on it; null when there is none. */
  readonly dirtyWith: string | null
  readonly status: HealthStatus
  /** Since when it has had this status, by the steady clock. */
  readonly statusSince: number
}

/** A version, or by what it is found: the newest one, or the one that the environment should have. */
export type WantedVersion = string

/** How a deployment stands that this one has made. */
export interface ChildDeployment {
  readonly state: 'open' | 'succeeded' | 'failed' | 'cancelled'
  readonly reason: string | null
}
/** A group of which a deployment wants to know who is in it, and since when that has to be true. */
export interface AskedGroup {
  readonly environmentId: string
  readonly group: string
  readonly deploymentId: string
  readonly since: number
}

/** What a deployment waits for that others have to do, or time alone. */
export type Hold = Omit<Extract<DeploymentEvent, { type: 'DeploymentHeld' }>['data'], 'deploymentId' | 'at'>

/**
 * What a run may look at beyond its own history. Read-only to those who plan; the engine keeps it and answers from
 * what it has followed up to `position`.
 */
export interface World {
  readonly position: number
  /** Since when this process has been listening without a break: nobody is late for what could not be heard. */
  readonly listeningSince: number
  /** What serves in which project and environment. */
  readonly servings: Pick<Servings, 'at' | 'elsewhere'>
  machine(machineId: string): FleetMachine | undefined
  inEnvironment(environmentId: string): Iterable<FleetMachine>
  /** Machines that run steps which belong to no target, best first. */
  workersFor(environmentId: string): readonly FleetMachine[]
  /** Whether no other deployment has a task on the machine. */
  isFree(machineId: string, deploymentId: string): boolean
  /** Whether the deployment is first in line for its project and environment. */
  mayStart(deploymentId: string): boolean
  /** Why it may not start yet; null when it may. */
  holdOf(deploymentId: string): Hold | null
  /** The version that a release brought to the whole environment while this automatic deployment waited for it. */
  supersededBy(deploymentId: string): string | null
  /** The version that a project has for an environment, as it is wanted; null when there is none. */
  versionOf(projectId: string, environmentId: string, wanted: WantedVersion): string | null
  /** A deployment that a step has asked for; undefined as long as it has not been made. */
  child(deploymentId: string): ChildDeployment | undefined
  /** What a provider said last of one of its groups; null as long as nothing was heard. Who asks is told later. */
  group(asked: AskedGroup): GroupAnswer | null
  /** Whether nothing has been heard of a running attempt for longer than its lease. */
  leaseExpired(taskId: string): boolean
}

/** Everything that planning looks at: the run, what it was made from, the fleet, and the time. */
export interface Scene {
  readonly run: Run
  readonly created: Created
  readonly world: World
  readonly nowMs: number
}

/**
 * Whether work can be handed to the machine now: one whose checks fail answers, and a release may be what mends it. One
 * without an agent may answer the server's own probes, but nothing can be run on it.
 */
export const isContactable = (machine: FleetMachine): boolean =>
  machine.registered &&
  machine.hasAgent &&
  !machine.quarantined &&
  machine.dirtyWith === null &&
  machine.status !== 'unavailable' &&
  machine.status !== 'unknown'

/** Why work cannot be handed to it, in the words that follow `it is`. */
export const conditionOf = (machine: FleetMachine | undefined): string => {
  if (machine === undefined) return 'gone'
  if (machine.quarantined) return 'in quarantine'
  return machine.dirtyWith === null ? machine.status : 'held back, since an abandoned task may still run on it'
}

/** From when on a wait for signs of machines counts: not before we could have heard them. */
export const waitingSince = ({ world }: Scene, startedAt: number): number => Math.max(startedAt, world.listeningSince)
