import type { PolicyEvent } from '#contracts/policy.ts'
import type { Bench } from './bench.ts'
import type { GuardReading } from './guard.ts'
import { tripped } from './guards.ts'
import { domainKey, type Incident } from './state.ts'

/** So many machines are named; how many there are is told as a number. */
const namedMax = 1_000

type Detected = Extract<PolicyEvent, { type: 'MassFailureDetected' }>
type Cleared = Extract<PolicyEvent, { type: 'MassFailureCleared' }>

/**
 * A mass failure is told once when the guard trips, whether or not a removal is due yet, and once when it is over. As
 * long as the whole environment has one, its failure domains are a part of that and open none of their own; one that a
 * domain had already goes on to its own end. So the same outage is told twice at most: where it began, and that it grew;
 * what is left of it in a domain while machines come back is not told as another one.
 * @param newId names what is opened now
 */
export function incidentVerdicts(bench: Bench, newId: string): readonly (Detected | Cleared)[] {
  const { state, guards, policy } = bench
  const now = policy.dynamicRegistration.enabled ? tripped(guards) : []
  const keys = new Set(now.map(({ domain }) => domainKey(domain)))
  const over = [...state.incidents].filter(([key]) => !keys.has(key))
  const begun = now.filter(
    ({ domain, isTail }) =>
      !state.incidents.has(domainKey(domain)) && (domain === null || !(guards.environment.tripped || isTail)),
  )
  return [
    ...over.map(([, incident]) => cleared(bench, incident)),
    ...begun.map((reading, index) => detected(bench, reading, index === 0 ? newId : `${newId}-${index}`)),
  ]
}

function detected(bench: Bench, reading: GuardReading, incidentId: string): Detected {
  const { environmentId, policy, policyVersion, nowMs } = bench
  const { domain, unavailable, registered, share } = reading
  const about = { environmentId, incidentId, domain, at: nowMs, machineIds: together(bench, reading) }
  const figures = { unavailable, registered, share, thresholdShare: policy.guard.share, policyVersion }
  return { type: 'MassFailureDetected', data: { ...about, ...figures } }
}

function together({ environmentId, world }: Bench, { domain, fromMs, untilMs }: GuardReading): readonly string[] {
  const ids: string[] = []
  for (const { machineId, attributes, unavailableSince, providerState } of world.unavailable(environmentId)) {
    if (ids.length === namedMax) break
    if (unavailableSince === null || unavailableSince < fromMs || unavailableSince > untilMs) continue
    if (providerState === 'terminated' || (domain !== null && attributes[domain.attribute] !== domain.value)) continue
    ids.push(machineId)
  }
  return ids
}

function cleared(bench: Bench, incident: Incident): Cleared {
  const { environmentId, nowMs } = bench
  const { incidentId, domain } = incident
  return {
    type: 'MassFailureCleared',
    data: { environmentId, incidentId, domain, at: nowMs, by: endOf(bench, incident) },
  }
}

/** What ended it. Where machines that were named answer again it is recovery, although others may have been removed. */
function endOf(bench: Bench, { domain, machineIds, policyVersion }: Incident): Cleared['data']['by'] {
  const { environmentId, policy, world } = bench
  const { enabled, failureDomain } = policy.guard
  const isGuarded = enabled && policy.dynamicRegistration.enabled
  if (!isGuarded || (domain !== null && domain.attribute !== failureDomain)) return 'policy'
  const machines = machineIds.map((machineId) => world.member(machineId))
  const isHere = (machine: (typeof machines)[number]) =>
    machine?.registered === true && machine.environmentId === environmentId
  if (machines.some((machine) => isHere(machine) && machine?.status !== 'unavailable')) return 'recovery'
  if (machines.some((machine) => !isHere(machine))) return 'removal'
  return policyVersion === bench.policyVersion ? 'recovery' : 'policy'
}
