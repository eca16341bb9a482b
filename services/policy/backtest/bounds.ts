import { quietAt } from '#libs/quietHours.ts'
import { silentSince, type Bench } from '../bench.ts'
import { firstObstacle } from '../clauses.ts'
import type { Member } from '../world.ts'

const never = Number.POSITIVE_INFINITY

/**
 * When a look could find something new about one of these machines, if nothing happens but that time goes by. It may
 * say too early, which costs a look; it never says too late, or the look would come late.
 */
export function nextChangeMs(bench: Bench, machines: Iterable<Member>): number {
  const released = Math.min(nextReleaseMs(bench), recoveredMs(bench))
  let earliest = never
  let isAnybody = false
  for (const member of machines) {
    isAnybody = true
    earliest = Math.min(earliest, conflictMs(bench, member), obstacleMs(bench, member, released))
  }
  return isAnybody ? Math.min(earliest, quietChangeMs(bench)) : never
}

/** The first obstacle is the reason that is told, so it alone decides until it clears; behind all of them is the guard. */
function obstacleMs(bench: Bench, member: Member, released: number): number {
  const obstacle = firstObstacle(bench, member)
  return obstacle === undefined ? released : (obstacle.clearsAt?.(bench, member) ?? never)
}

/** A machine that answers though it is said to be terminated is told of once it had time to become late. */
function conflictMs({ policy, nowMs }: Bench, member: Member): number {
  if (member.providerState !== 'terminated' || silentSince(member) !== null || member.providerSaidAt === null)
    return never
  const at = member.providerSaidAt + policy.health.lateAfterMs
  return at > nowMs ? at : never
}

/** When the oldest removal counts no more that counts against the rate of a tripped guard. */
function nextReleaseMs({ state, policy, nowMs }: Bench): number {
  const { releaseEveryMs } = policy.guard
  let earliest = never
  for (let index = state.removedAt.size - 1; index >= 0; index--) {
    const { at } = state.removedAt.get(index)!
    if (at <= nowMs - releaseEveryMs) break
    earliest = at + releaseEveryMs
  }
  return earliest
}

/** When so long has passed since the first machine came back that others may not be waited for any more. */
function recoveredMs({ environmentId, world, policy, nowMs }: Bench): number {
  const { windowMs } = policy.guard
  const { firstAt } = world.returnedSince(environmentId, nowMs - windowMs)
  return firstAt === null ? never : firstAt + windowMs
}

/** What may be removed now may have to wait when quiet hours begin, and the other way round. */
function quietChangeMs({ policy, nowMs, wallMs }: Bench): number {
  const { quietHours } = policy.dynamicRegistration
  return quietHours.length === 0 ? never : nowMs + quietAt(quietHours, wallMs).untilMs - wallMs
}
