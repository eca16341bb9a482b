import type { Candidate } from '#contracts/eligibility.ts'
import type { HealthStatus } from '#contracts/health.ts'
import type { ProviderState } from '#contracts/policy.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Back } from './returns.ts'

/** A machine as policy sees it. */
export interface Member extends Candidate {
  readonly machineId: string
  readonly name: string
  readonly status: HealthStatus
  /** When it became unavailable; null while it answers, or when nobody knows. Tells one spell from another. */
  readonly unavailableSince: number | null
  /** By project: the release on it, and the position at which that was decided. */
  readonly installed: ReadonlyMap<string, Installed>
  /** The deployment that could not contact it in its present spell of silence; null when none tried. */
  readonly notContactableIn: string | null
  /** What it says of itself: failure domains and labels are read from here. */
  readonly attributes: Readonly<Record<string, string>>
  /**
   * When health first said anything of it after it was registered or restored; null when it has said nothing yet. What
   * a start-up grace is counted from: unlike the time of the registration, it is by the steady clock, and it is in the
   * log, so neither a clock that is set nor a restart changes it.
   */
  readonly startedAt: number | null
  /** When its heartbeat was found late; null once it is known to answer. It becomes late before it is unavailable. */
  readonly lateSince: number | null
  /** What the provider says of it; `silent` while the provider cannot be asked, null when it has said nothing. */
  readonly providerState: ProviderState | 'silent' | null
  /** When the provider said so. */
  readonly providerSaidAt: number | null
}

export interface Installed {
  readonly version: string
  readonly position: number
}

/** The release that machines of an environment should have, of one project. */
export interface Desired {
  readonly projectId: string
  readonly version: string
  readonly targetRoles: readonly string[]
  /** Where it was decided: what was installed by a later decision is not taken back. */
  readonly position: number
  /** Whether a release of the project is being deployed to the environment now, so that newcomers wait for it. */
  readonly busy: boolean
}

/** What came of an automatic deployment. */
export interface Ended {
  readonly deploymentId: string
  readonly succeeded: readonly string[]
  readonly failed: readonly string[]
}

/**
 * What policy may look at: who is there, what they should have, and for how long they were really seen silent. Every
 * question is about those who need something, never about the whole fleet.
 */
export interface World {
  policyOf(environmentId: string): { readonly policy: EnvironmentPolicy; readonly policyVersion: number } | undefined
  member(machineId: string): Member | undefined
  /** How many machines the environment has. */
  registered(environmentId: string): number
  /** How many of them have this value of the attribute by which the environment's policy tells failure domains apart. */
  registeredIn(environmentId: string, domainValue: string): number
  /** Those that answer again after they had been unavailable, of one failure domain where it is named. */
  returnedSince(environmentId: string, sinceMs: number, domainValue?: string): Back
  /** The machines of the environment that do not answer, except those that nobody watches. */
  unavailable(environmentId: string): Iterable<Member>
  /** Those, and the machines of which the provider says that they are terminated, whether they answer or not. */
  suspects(environmentId: string): Iterable<Member>
  /** The machines that could have a desired release now and have another one or none. */
  behind(environmentId: string): Iterable<Member>
  desired(environmentId: string): readonly Desired[]
  /** Automatic deployments that policy asked for and that have ended, but are not settled. */
  ended(environmentId: string): Iterable<Ended>
  /** Automatic deployments that policy asked for and nobody has made, and for how long that is known. */
  missing(environmentId: string, nowMs: number): Iterable<{ readonly deploymentId: string; readonly forMs: number }>
  observedMs(sinceMs: number, nowMs: number): number
  observingSince(): number | null
  /** Since when this process has known that the machine needs the release: what quiet periods are counted from. */
  neededSince(machineId: string, projectId: string, version: string, nowMs: number): number
}
