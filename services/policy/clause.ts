import type { DeferralClause } from '#contracts/policy.ts'
import type { Bench } from './bench.ts'
import type { Member } from './world.ts'

export type ClauseName =
  | ('elastic' | 'watched' | 'observing' | 'silent' | 'observed-long-enough' | 'undecided' | 'guard')
  | DeferralClause

/** One thing that must be so before a machine is removed automatically, and whether it is. */
export interface Clause {
  readonly clause: ClauseName
  readonly holds: boolean
  /** For people: what is so, and why. */
  readonly detail: string
  /** When it will hold by time alone, if nothing else changes; null when it holds, or when nobody can know. */
  readonly clearsAt: number | null
}

/** How one clause is told. Of every silent machine it is asked again and again whether it holds, and no more. */
export interface ClauseRule {
  readonly clause: ClauseName
  readonly holds: (bench: Bench, member: Member) => boolean
  readonly detail: (bench: Bench, member: Member, holds: boolean) => string
  readonly clearsAt?: (bench: Bench, member: Member) => number | null
}

export function tell({ clause, holds, detail, clearsAt }: ClauseRule, bench: Bench, member: Member): Clause {
  const isSo = holds(bench, member)
  const clears = isSo ? null : (clearsAt?.(bench, member) ?? null)
  return { clause, holds: isSo, detail: detail(bench, member, isSo), clearsAt: clears }
}
