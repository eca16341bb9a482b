import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { readGuard, type Domain, type GuardReading } from './guard.ts'
import type { Verdicts } from './state.ts'
import type { Member, World } from './world.ts'

/** What the guard says of an environment as a whole, and of each failure domain in it that holds somebody. */
export interface Guards {
  readonly environment: GuardReading
  /** By value of the attribute. */
  readonly domains: ReadonlyMap<string, GuardReading>
}

/**
 * Reads the environment and its failure domains. Machines that the provider says are terminated are no sign of a mass
 * failure: they neither count nor are held. Only silent machines are looked at, however many there are.
 */
export function readGuards(
  environmentId: string,
  policy: EnvironmentPolicy,
  world: World,
  state: Pick<Verdicts, 'removedAt'>,
  nowMs: number,
): Guards {
  const { failureDomain: attribute } = policy.guard
  const valueOf = (member: Member | undefined) => domainValue(policy, member)
  const terminated: Member[] = []
  const silent: Member[] = []
  for (const member of world.suspects(environmentId)) (isTerminated(member) ? terminated : silent).push(member)

  const read = (domain: Domain, registered: number, machines: readonly Member[]): GuardReading => {
    const unavailableSince = machines.flatMap((member) => member.unavailableSince ?? [])
    const isMeant = (id: string) => domain === null || valueOf(world.member(id)) === domain.value
    const removedAt = recentlyRemoved(policy, state, nowMs, isMeant)
    const back = world.returnedSince(environmentId, nowMs - policy.guard.windowMs, domain?.value)
    return readGuard(policy, { domain, registered, unavailableSince, removedAt, back }, nowMs)
  }
  const environment = read(null, world.registered(environmentId) - terminated.length, silent)
  if (attribute === null || !policy.guard.enabled || silent.length <= policy.guard.floor)
    return { environment, domains: new Map() }

  const gone = Map.groupBy(terminated, valueOf)
  const domains = [...Map.groupBy(silent, valueOf)].flatMap(([value, machines]) => {
    if (value === undefined || machines.length <= policy.guard.floor) return []
    const registered = world.registeredIn(environmentId, value) - (gone.get(value)?.length ?? 0)
    const reading = read({ attribute, value }, registered, machines)
    return reading.tripped ? [[value, reading] as const] : []
  })
  return { environment, domains: new Map(domains) }
}

/** The readings that hold the machine, the widest first; none when it may go. */
export function holding({ environment, domains }: Guards, policy: EnvironmentPolicy, member: Member) {
  if (isTerminated(member)) return []
  const value = domainValue(policy, member)
  const domain = value === undefined ? undefined : domains.get(value)
  return [environment, ...(domain === undefined ? [] : [domain])].filter(({ tripped }) => tripped)
}

/** All that are tripped, the widest first. */
export const tripped = ({ environment, domains }: Guards): readonly GuardReading[] => [
  ...(environment.tripped ? [environment] : []),
  ...domains.values(),
]

/** Which failure domain the machine is in; undefined when in none. */
export const domainValue = ({ guard }: EnvironmentPolicy, member: Member | undefined): string | undefined =>
  guard.failureDomain === null ? undefined : member?.attributes[guard.failureDomain]

const isTerminated = ({ providerState }: Member): boolean => providerState === 'terminated'

/** The latest are last, so as few are looked at as there are. */
function recentlyRemoved(
  { guard }: EnvironmentPolicy,
  { removedAt }: Pick<Verdicts, 'removedAt'>,
  nowMs: number,
  isMeant: (machineId: string) => boolean,
): readonly number[] {
  const recent: number[] = []
  for (let index = removedAt.size - 1; index >= 0; index--) {
    const { machineId, at } = removedAt.get(index)!
    if (at <= nowMs - guard.releaseEveryMs) break
    if (isMeant(machineId)) recent.push(at)
  }
  return recent
}
