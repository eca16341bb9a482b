import { List, Map, OrderedSet, Set } from 'immutable'
import type { DeferralClause, PolicyEvent } from '#contracts/policy.ts'
import type { ProviderWord } from './provider/reports.ts'

/** What policy has decided for one environment and not yet seen through. */
export interface Verdicts {
  /** By machine: the removal that was decided, for which spell of silence. */
  readonly removals: Map<string, DecidedRemoval>
  readonly withheld: OrderedSet<string>
  /** By machine: why its removal, which is due, waits though no mass failure holds it. */
  readonly deferred: Map<string, DeferralClause>
  /** By failure domain: the mass failure that lasts. */
  readonly incidents: Map<string, Incident>
  /** Machines that a person let go: the guard does not hold them until they have answered again. */
  readonly released: OrderedSet<string>
  /** When the guard let a machine be that it had held: others may be on their way back, so it is given time as well. */
  readonly resumedAt: Map<string, number>
  /** When removals were let through, latest last: what the rate of a tripped guard is counted from. */
  readonly removedAt: List<{ readonly machineId: string; readonly at: number }>
  /** By deployment: the automatic deployments that have not settled. */
  readonly pending: Map<string, DecidedDeployment>
  /** By machine and project: the automatic deployment that is under way. */
  readonly underWay: Map<string, string>
  /** By release, then by machine: how often it failed there. */
  readonly tries: Map<string, Map<string, Tries>>
  /** By release, then by machine: how often its deployment could not even be made. */
  readonly refusals: Map<string, Map<string, Tries>>
  /** By project, then by machine: the verdict that keeps it without the release, said once. */
  readonly skipped: Map<string, Map<string, Skipped>>
  /** Releases that are not deployed automatically any more. */
  readonly circuits: Set<string>
  /** What the provider of machines has said; null before it was asked for the first time. */
  readonly provider: ProviderWord | null
}

export type DecidedRemoval = Extract<PolicyEvent, { type: 'RemovalRequested' }>['data'] & {
  /** When it was given up, since the machine answered after all; null while it stands. */
  readonly abandonedAt: number | null
  /** Whether a person has taken it back. */
  readonly reverted: boolean
  /** The mass failures that lasted when it was decided, and in spite of which it was let go. */
  readonly inSpiteOf: Map<string, Incident>
}
/** A mass failure that lasts. */
export type Incident = Pick<
  Extract<PolicyEvent, { type: 'MassFailureDetected' }>['data'],
  'incidentId' | 'domain' | 'at' | 'machineIds' | 'policyVersion'
>
export type DecidedDeployment = Pick<
  Extract<PolicyEvent, { type: 'AutomaticDeploymentRequested' }>['data'],
  'projectId' | 'version' | 'machineIds'
>

export interface Tries {
  readonly count: number
  readonly lastAt: number
}

export interface Skipped {
  readonly version: string
  readonly clause: string
}

export const noVerdicts: Verdicts = {
  removals: Map(),
  withheld: OrderedSet(),
  deferred: Map(),
  incidents: Map(),
  released: OrderedSet(),
  resumedAt: Map(),
  removedAt: List(),
  pending: Map(),
  underWay: Map(),
  tries: Map(),
  refusals: Map(),
  skipped: Map(),
  circuits: Set(),
  provider: null,
}

export const releaseKey = (projectId: string, version: string) => `${projectId}@${version}`
/** Names a failure domain; the whole environment is one as well. An attribute's name holds no `=`, so no two are alike. */
export const domainKey = (domain: { readonly attribute: string; readonly value: string } | null): string =>
  domain === null ? '' : `${domain.attribute}=${domain.value}`
export const installKey = (machineId: string, projectId: string) => `${machineId}/${projectId}`
