import type { PolicyEvent } from '#contracts/policy.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { evolve } from './evolve.ts'
import { readGuard, type GuardReading } from './guard.ts'
import type { Verdicts } from './state.ts'
import type { Member, World } from './world.ts'

interface Candidate {
  readonly member: Member
  readonly unavailableSince: number
  readonly observedMs: number
  readonly rule: 'unavailable' | 'not-contactable'
}

/** The environment that is judged, and by which policy. */
interface Bench {
  readonly environmentId: string
  readonly policy: EnvironmentPolicy
  readonly policyVersion: number
  readonly state: Verdicts
  readonly world: World
  readonly nowMs: number
}

/** A removal that was decided and neither carried out nor given up for so long has got lost, and is decided again. */
const carriedOutWithinMs = 5 * 60_000

/**
 * Who is to be taken out now, who is held back, and who is held back no more. Silence counts only as far as it was
 * observed, and only when observation has lasted long enough since its last break to be sure of it again.
 * @param decisionId names this decision; whatever it removes can be restored together
 */
export function removalVerdicts(
  environmentId: string,
  state: Verdicts,
  world: World,
  decisionId: string,
  nowMs: number,
): readonly PolicyEvent[] {
  const known = world.policyOf(environmentId)
  if (known === undefined) return []
  const bench: Bench = { environmentId, ...known, state, world, nowMs }
  const silent = [...world.unavailable(environmentId)]
  const isElastic = known.policy.dynamicRegistration.enabled
  const since = silent.flatMap(({ unavailableSince }) => unavailableSince ?? [])
  const guard = readGuard(known.policy, world.registered(environmentId), since, state.removedAt, nowMs)
  const free = resumed(bench, isElastic ? silent : [], guard)
  const after = { ...bench, state: free.reduce(evolve, state) }
  const candidates = isElastic ? silent.flatMap((member) => candidacy(after, member) ?? []) : []
  return [...free, ...judge(after, candidates, guard, decisionId)]
}

/**
 * The guard's hold on a machine ends when the machine answers or is gone, or when the guard lets everybody go. It does
 * not end because we were away for a while, though nobody is a candidate then.
 */
function resumed(
  { environmentId, state, nowMs }: Bench,
  silent: readonly Member[],
  { tripped }: GuardReading,
): readonly PolicyEvent[] {
  if (state.withheld.isEmpty() && state.released.isEmpty()) return []
  const stillSilent = new Set(silent.map(({ machineId }) => machineId))
  const free = [
    ...state.withheld.filter((id) => !tripped || !stillSilent.has(id)),
    ...state.released.filter((id) => !stillSilent.has(id)),
  ]
  const machineIds = [...new Set(free)]
  return machineIds.length === 0
    ? []
    : [{ type: 'RemovalsResumed', data: { environmentId, machineIds, by: 'recovery', at: nowMs } }]
}

function judge(
  bench: Bench,
  candidates: readonly Candidate[],
  guard: GuardReading,
  decisionId: string,
): readonly PolicyEvent[] {
  const { environmentId, policy, policyVersion, state } = bench
  const { unavailable, registered, share, clearsWhen } = guard
  const reading = { unavailable, registered, share, thresholdShare: policy.guard.share, clearsWhen }
  let { allowance } = guard
  return candidates.flatMap((candidate): readonly PolicyEvent[] => {
    const { machineId } = candidate.member
    if (state.released.has(machineId)) return [removal(bench, candidate, decisionId)]
    if (allowance > 0) {
      allowance--
      return [removal(bench, candidate, decisionId)]
    }
    if (state.withheld.has(machineId)) return []
    return [{ type: 'RemovalWithheld', data: { environmentId, machineId, ...reading, policyVersion } }]
  })
}

function removal(
  { environmentId, policy, policyVersion, nowMs }: Bench,
  { member, rule, unavailableSince, observedMs }: Candidate,
  decisionId: string,
): PolicyEvent {
  const { machineId, notContactableIn } = member
  const thresholdMs = rule === 'unavailable' ? policy.dynamicRegistration.removeAfterMs : 0
  const deploymentId = rule === 'not-contactable' ? notContactableIn : null
  const about = { environmentId, machineId, decisionId, at: nowMs, rule, policyVersion, deploymentId }
  const evidence = { unavailableSince, observedMs: Math.round(observedMs), thresholdMs }
  return { type: 'RemovalRequested', data: { ...about, ...evidence } }
}

function candidacy({ policy, state, world, nowMs }: Bench, member: Member): Candidate | null {
  const { dynamicRegistration, guard, health } = policy
  const { machineId, unavailableSince, notContactableIn } = member
  if (unavailableSince === null) return null
  const observingSince = world.observingSince()
  if (observingSince === null || nowMs - observingSince < health.unavailableAfterMs) return null

  // Where many came back together, the last ones are given time to do the same.
  if (nowMs - (state.resumedAt.get(machineId) ?? 0) < guard.windowMs) return null
  const decided = state.removals.get(machineId)
  if (decided?.unavailableSince === unavailableSince) {
    const { at, abandonedAt } = decided
    if (abandonedAt === null ? nowMs - at < carriedOutWithinMs : nowMs - abandonedAt < health.unavailableAfterMs)
      return null
  }
  const observedMs = world.observedMs(unavailableSince, nowMs)
  if (observedMs >= dynamicRegistration.removeAfterMs)
    return { member, unavailableSince, observedMs, rule: 'unavailable' }
  if (notContactableIn !== null && dynamicRegistration.removeWhenNotContactable)
    return { member, unavailableSince, observedMs, rule: 'not-contactable' }
  return null
}
