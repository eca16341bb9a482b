import type { PolicyEvent } from '#contracts/policy.ts'
import type { Bench } from './bench.ts'
import { domainValue, holding } from './guards.ts'
import { watched } from './silence.ts'
import { domainKey } from './state.ts'
import type { Member } from './world.ts'

/**
 * The hold on a machine ends when the machine answers or is gone, or when the guard lets everybody go. It does not end
 * because we were away for a while, though nobody may be removed then. Where the guard lets go because removals have
 * brought the number down, nobody has come back and nobody is waited for; else a smaller outage would take longer.
 */
export function resumed(bench: Bench, incidents: readonly PolicyEvent[]): readonly PolicyEvent[] {
  const { environmentId, policy, state, world, guards, nowMs } = bench
  if (state.withheld.isEmpty() && state.released.isEmpty() && state.deferred.isEmpty()) return []
  const isElastic = policy.dynamicRegistration.enabled
  const here = (machineId: string, is: (member: Member) => boolean): boolean => {
    const member = world.member(machineId)
    return isElastic && member !== undefined && watched.holds(bench, member) && is(member)
  }
  const isSilent = ({ status }: Member) => status === 'unavailable'
  const isHeld = (member: Member) => isSilent(member) && holding(guards, policy, member).length > 0
  const isSuspect = (member: Member) => isSilent(member) || member.providerState === 'terminated'
  const wornDown = endedByRemoval(bench, incidents)
  const [byRate, byRecovery] = [new Set<string>(), new Set<string>()]
  for (const id of [
    ...state.withheld.filter((id) => !here(id, isHeld)),
    ...state.released.filter((id) => !here(id, isSilent)),
    ...state.deferred.keySeq().filter((id) => !here(id, isSuspect)),
  ])
    (state.withheld.has(id) && here(id, (member) => isSilent(member) && wornDown(member)) ? byRate : byRecovery).add(id)
  const free = (by: 'rate' | 'recovery', ids: ReadonlySet<string>): readonly PolicyEvent[] =>
    ids.size === 0 ? [] : [{ type: 'RemovalsResumed', data: { environmentId, machineIds: [...ids], by, at: nowMs } }]
  return [...free('rate', byRate), ...free('recovery', byRecovery)]
}

/** Tells of a machine whether every mass failure that held it until now has ended by removals alone. */
function endedByRemoval({ policy }: Bench, incidents: readonly PolicyEvent[]): (member: Member) => boolean {
  const ends = new Map(
    incidents.flatMap(({ type, data }) =>
      type === 'MassFailureCleared' ? [[domainKey(data.domain), data.by] as const] : [],
    ),
  )
  return (member) => {
    const value = domainValue(policy, member)
    const attribute = policy.guard.failureDomain
    const own = attribute === null || value === undefined ? null : { attribute, value }
    const mine = [ends.get(domainKey(null)), ends.get(domainKey(own))].filter((by) => by !== undefined)
    return mine.length > 0 && mine.every((by) => by === 'removal')
  }
}
