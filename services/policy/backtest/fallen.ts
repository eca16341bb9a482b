import type { Fallen } from '#contracts/removalQuestions.ts'
import { refuse, type Refusal } from '#libs/decider.ts'
import type { Member } from '../world.ts'

const namedMax = 5

/** Whether the machine would be missed if it fell silent: it is listened to, and it is not silent already. */
export const isListenedTo = ({ registered, enabled, quarantined, status }: Member): boolean =>
  registered && enabled && !quarantined && status !== 'unavailable'

export const isAnswering = ({ status, ...member }: Member): boolean =>
  isListenedTo({ status, ...member }) && status !== 'unknown'

/** The machines that fall silent; a refusal where the question names any that are not there. */
export function fallenOf(
  silent: Fallen,
  members: readonly Member[],
  failureDomain: string | null,
): readonly Member[] | Refusal {
  if ('machines' in silent) return named(silent.machines, members)
  if ('domain' in silent) return inDomain(silent.domain, members, failureDomain)
  const { share } = silent
  // Spread over the fleet by the order of their ids, so that the same question is answered the same way.
  const listened = members.filter(isListenedTo).toSorted((a, b) => (a.machineId < b.machineId ? -1 : 1))
  return listened.filter((_, index) => Math.floor((index + 1) * share) > Math.floor(index * share))
}

function named(machineIds: readonly string[], members: readonly Member[]): readonly Member[] | Refusal {
  const byId = new Map(members.map((member) => [member.machineId, member]))
  const unknown = machineIds.filter((id) => !byId.has(id))
  if (unknown.length > 0) {
    const more = unknown.length > namedMax ? ` and ${unknown.length - namedMax} more` : ''
    return refuse(
      'MACHINE_UNKNOWN',
      `not machines of this environment: ${unknown.slice(0, namedMax).join(', ')}${more}`,
    )
  }
  return [...new Set(machineIds)].map((id) => byId.get(id)!).filter(isListenedTo)
}

function inDomain(
  { attribute: asked, value }: Extract<Fallen, { domain: unknown }>['domain'],
  members: readonly Member[],
  failureDomain: string | null,
): readonly Member[] | Refusal {
  const attribute = asked ?? failureDomain
  if (attribute === null)
    return refuse('REQUEST_INVALID', 'silent.domain.attribute: the guard goes by none here, so say which is meant')
  const inside = members.filter(({ attributes }) => attributes[attribute] === value)
  return inside.length === 0
    ? refuse('MACHINE_UNKNOWN', `no machine of this environment has ${attribute}=${value}`)
    : inside.filter(isListenedTo)
}
