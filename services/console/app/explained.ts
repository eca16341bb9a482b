import type { ExplainRemovalReply } from '#contracts/backtest.ts'
import type { Link } from '#contracts/fleetRows.ts'
import { words } from './format.ts'

/** What `GET machines/:id/explain` answers of a project: what the machine should have of it, what it has, and why. */
export interface ExplainedProject {
  readonly projectId: string
  readonly because: string
  readonly desired: { readonly version: string; readonly because: string } | null
  readonly installed: { readonly version: string } | null
  readonly verdict: ExplainedVerdict | null
}

export interface ExplainedVerdict {
  readonly verdict: string
  readonly clause: string | null
  readonly detail: string | null
  readonly version: string | null
  readonly deploymentId: string | null
  readonly at: string
}

export interface Explained {
  readonly removal: ExplainedVerdict | null
  readonly projects: readonly ExplainedProject[]
  /** What the policy says of its removal at this moment; or null, and why it does not say. */
  readonly removalNow: { readonly clauses: ExplainRemovalReply | null; readonly reason: string | null }
  /** What made it as it is, the newest first, back to what began it. */
  readonly chain: readonly Link[]
}

/** Whether it is as it should be, needs nothing, or is behind. */
export const standingTone = ({ because }: ExplainedProject): 'good' | 'warn' | 'muted' =>
  because === 'converged' ? 'good' : because === 'not-converged' ? 'warn' : 'muted'

/** Why the machine has, or has not, a release of the project. */
export function standingWords({ because, desired, installed }: ExplainedProject): string {
  const source = desired?.because === 'override' ? 'a person pinned it' : 'it last succeeded here'
  const has = installed === null ? 'nothing yet' : installed.version
  switch (because) {
    case 'converged':
      return `Has ${has}, as it should: ${source}.`
    case 'not-converged':
      return `Should have ${desired?.version ?? '–'} (${source}), has ${has}.`
    case 'nothing-desired':
      return 'Nothing is to be on it: no release has succeeded in this environment yet.'
    case 'role-missing':
      return 'Not for it: it has none of the roles that the release is for.'
    case 'no-agent':
      return 'Not for it: it has no agent that could install anything.'
    case 'disabled':
      return `Gets nothing while it is disabled; has ${has}.`
    case 'not-registered':
      return 'Gets nothing, since it is not registered.'
    case 'worker':
      return 'Not for it: workers run steps and are never targets.'
  }
  return `${words(because)}.`
}

const leftOut: Readonly<Record<string, string>> = {
  'role-missing': 'It has none of the roles that the release is for.',
  'no-agent': 'It has no agent that could run anything.',
  disabled: 'It is disabled.',
  'not-registered': 'It is not registered.',
  'other-environment': 'It is in another environment.',
}

/** Why a target ended as it did: a clause in words, or what is said behind the clause. */
export function targetWords(reason: string): string {
  const detail = reason.replace(/^not-contactable: /, '')
  return leftOut[reason] ?? detail.charAt(0).toUpperCase() + detail.slice(1)
}

/** What policy said last, or null when that adds nothing. */
export function verdictWords({ verdict, clause, detail, version }: ExplainedVerdict): string | null {
  const more = detail === null || detail === '' ? '' : `: ${detail.replace(/\.$/, '')}`
  switch (verdict) {
    case 'AutomaticDeploymentRequested':
      return `Policy sent ${version ?? 'it'} by itself.`
    case 'AutomaticDeploymentSkipped':
      return `Policy skipped ${version ?? 'it'} (${words(clause ?? 'refused').toLowerCase()})${more}.`
    case 'RemovalRequested':
      return `Policy decided to remove it (${words(clause ?? 'unavailable').toLowerCase()}).`
    case 'RemovalWithheld':
      return `Policy holds its removal back${more}.`
    case 'RemovalsResumed':
      return clause === 'recovery'
        ? 'Policy no longer wants it removed: it answers again.'
        : 'The guard let its removal go.'
    case 'RemovalAbandoned':
      return `It was not removed after all${more}.`
  }
  return null
}
