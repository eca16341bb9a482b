import type { ExplainRemovalReply } from '#contracts/backtest.ts'
import { dueBy, observedSilenceMs, silentSince, type Bench } from './bench.ts'
import { removalClauses } from './clauses.ts'
import type { GuardReading } from './guard.ts'
import { domainValue } from './guards.ts'
import type { Member } from './world.ts'

/** Why the machine would be removed now, or why it would not, as things stand. Instants are told by the wall clock. */
export function explainRemoval(bench: Bench, member: Member): ExplainRemovalReply {
  const { environmentId, policyVersion, nowMs, wallMs, guards, policy } = bench
  const tell = (steadyMs: number) => Math.max(0, Math.round(steadyMs - nowMs + wallMs))
  const clauses = removalClauses(bench, member)
  const since = silentSince(member)
  const value = domainValue(policy, member)
  const inDomain = value === undefined ? undefined : guards.domains.get(value)
  return {
    ...{ machineId: member.machineId, environmentId, policyVersion },
    removable: clauses.every(({ holds }) => holds),
    rule: dueBy(bench, member),
    clauses: clauses.map((one) => ({ ...one, clearsAt: one.clearsAt === null ? null : tell(one.clearsAt) })),
    silence: since === null ? null : silenceOf(bench, member, since, tell(since)),
    guard: [guards.environment, ...(inDomain === undefined ? [] : [inDomain])].map((reading) => told(bench, reading)),
  }
}

function silenceOf(bench: Bench, member: Member, since: number, sinceAt: number) {
  const observedMs = Math.max(0, Math.round(observedSilenceMs(bench, member)))
  return { sinceAt, goneMs: Math.max(0, Math.round(bench.nowMs - since)), observedMs }
}

function told({ policy }: Bench, reading: GuardReading): ExplainRemovalReply['guard'][number] {
  const { domain, tripped, isFullStop, unavailable, registered, share, allowance, clearsWhen } = reading
  return {
    ...{ domain, tripped, isFullStop, unavailable, registered, share, thresholdShare: policy.guard.share },
    ...{ allowance: Number.isFinite(allowance) ? allowance : null, clearsWhen },
  }
}
