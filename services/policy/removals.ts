import { DeferralClause, type PolicyEvent } from '#contracts/policy.ts'
import { dueBy, observedSilenceMs, silentSince, type Bench } from './bench.ts'
import { tell, type ClauseName, type ClauseRule } from './clause.ts'
import { firstObstacle, obstacleAtTheLast } from './clauses.ts'
import { evolve } from './evolve.ts'
import type { GuardReading } from './guard.ts'
import { holding } from './guards.ts'
import { incidentVerdicts } from './incidents.ts'
import { resumed } from './resuming.ts'
import { domainKey, type DecidedRemoval, type Verdicts } from './state.ts'
import type { Member } from './world.ts'

/**
 * Who is to be taken out now, who is held back or has to wait, and who is held back no more.
 * @param decisionId names this decision; whatever it removes can be restored together
 */
export function removalVerdicts(bench: Bench, decisionId: string): readonly PolicyEvent[] {
  const incidents = incidentVerdicts(bench, decisionId)
  const told = knowing(bench, incidents)
  const free = resumed(told, incidents)
  return [...incidents, ...free, ...judge(knowing(told, free), decisionId)]
}

/**
 * Looks once more at a removal that was decided, right before it is carried out: what has changed meanwhile stops it.
 * One that a tripped guard let go at its rate goes on, unless so much is wrong by now that none may be removed.
 * @param newId names an incident that is opened by this look
 */
export function verdictsAtTheLast(bench: Bench, removal: DecidedRemoval, newId: string): readonly PolicyEvent[] {
  const { environmentId, state, policy, guards, nowMs } = bench
  const { machineId } = removal
  const member = bench.world.member(machineId)
  if (member?.registered !== true) return []
  const stop = (detail: string): PolicyEvent => ({
    type: 'RemovalAbandoned',
    data: { environmentId, machineId, detail, at: nowMs },
  })
  const obstacle = obstacleAtTheLast(bench, member)
  if (obstacle !== undefined) return [stop(tell(obstacle, bench, member).detail), ...deferral(bench, member, obstacle)]
  if (state.released.has(machineId)) return []

  const wasLetGo = ({ domain, isFullStop, isRecovering }: GuardReading) =>
    !(isFullStop || isRecovering) && [domain, null].some((part) => isTheSame(domainKey(part), state, removal))
  const holder = holding(guards, policy, member).find((reading) => !wasLetGo(reading))
  if (holder === undefined) return []
  const incidents = incidentVerdicts(bench, newId)
  return [...incidents, stop('a mass failure began'), ...withheld(knowing(bench, incidents), member, holder)]
}

/** Whether the mass failure that lasts now is the one in spite of which the removal was let go. */
function isTheSame(key: string, { incidents }: Verdicts, { inSpiteOf }: DecidedRemoval): boolean {
  const incident = incidents.get(key)
  return incident !== undefined && inSpiteOf.get(key)?.incidentId === incident.incidentId
}

const knowing = (bench: Bench, events: readonly PolicyEvent[]): Bench =>
  events.length === 0 ? bench : { ...bench, state: events.reduce(evolve, bench.state) }

/**
 * Each machine that would be removed takes a place of every reading that holds it, whether it goes or not. So who goes
 * depends on nobody's fate but on how many are before it, and one machine more that fails never lets another one go.
 */
function judge(bench: Bench, decisionId: string): readonly PolicyEvent[] {
  const { environmentId, policy, state, world, guards } = bench
  const taken = new Map<GuardReading, number>()
  const takesPlace = (reading: GuardReading): boolean => {
    const before = taken.get(reading) ?? 0
    taken.set(reading, before + 1)
    return before < reading.allowance
  }
  const verdicts: PolicyEvent[] = []
  for (const member of world.suspects(environmentId)) {
    const obstacle = firstObstacle(bench, member)
    if (obstacle !== undefined) {
      verdicts.push(...deferral(bench, member, obstacle))
      continue
    }
    const holders = state.released.has(member.machineId) ? [] : holding(guards, policy, member)
    const goes = holders.filter(takesPlace).length === holders.length
    verdicts.push(...(goes ? removal(bench, member, decisionId) : withheld(bench, member, holders[0])))
  }
  return verdicts
}

function removal(bench: Bench, member: Member, decisionId: string): readonly PolicyEvent[] {
  const { environmentId, policy, policyVersion, nowMs } = bench
  const { machineId, notContactableIn } = member
  const rule = dueBy(bench, member)
  const unavailableSince = silentSince(member)
  if (rule === null || unavailableSince === null) return []
  const thresholdMs = rule === 'unavailable' ? policy.dynamicRegistration.removeAfterMs : 0
  const deploymentId = rule === 'not-contactable' ? notContactableIn : null
  const about = { environmentId, machineId, decisionId, at: nowMs, rule, policyVersion, deploymentId }
  const evidence = { unavailableSince, observedMs: Math.round(observedSilenceMs(bench, member)), thresholdMs }
  return [{ type: 'RemovalRequested', data: { ...about, ...evidence } }]
}

/** Told once; again only when something else had been told meanwhile. */
function withheld(bench: Bench, { machineId }: Member, reading: GuardReading | undefined): readonly PolicyEvent[] {
  const { environmentId, policy, policyVersion, state, nowMs } = bench
  if (reading === undefined || (state.withheld.has(machineId) && !state.deferred.has(machineId))) return []
  const { domain, unavailable, registered, share, clearsWhen } = reading
  const incident = state.incidents.get(domainKey(domain))
  const figures = { unavailable, registered, share, thresholdShare: policy.guard.share, policyVersion, clearsWhen }
  const named = { ...(incident && { incidentId: incident.incidentId }), domain, at: nowMs }
  return [{ type: 'RemovalWithheld', data: { environmentId, machineId, ...figures, ...named } }]
}

const deferralClauses: ReadonlySet<string> = new Set(DeferralClause.options)
const isDeferral = (clause: ClauseName): clause is DeferralClause => deferralClauses.has(clause)

/** A machine that the guard holds waits anyway, so what passes by itself is not worth a word. */
const passing: ReadonlySet<DeferralClause> = new Set(['start-up', 'quiet-hours'])

function deferral(bench: Bench, member: Member, obstacle: ClauseRule): readonly PolicyEvent[] {
  const { environmentId, policyVersion, state, nowMs } = bench
  const { machineId } = member
  const { clause } = obstacle
  if (!isDeferral(clause) || state.deferred.get(machineId) === clause) return []
  if (passing.has(clause) && state.withheld.has(machineId) && !state.deferred.has(machineId)) return []
  const evidence = { unavailableSince: silentSince(member), observedMs: Math.round(observedSilenceMs(bench, member)) }
  const { detail } = tell(obstacle, bench, member)
  const about = { environmentId, machineId, clause, detail, ...evidence, policyVersion, at: nowMs }
  return [{ type: 'RemovalDeferred', data: about }]
}
