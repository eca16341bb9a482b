import type { PolicyEvent } from '#contracts/policy.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { speakDuration } from '#libs/units.ts'
import type { Back } from './returns.ts'

/** Machines that fail together: those with one value of an attribute, or the whole environment (null). */
export type Domain = Extract<PolicyEvent, { type: 'MassFailureDetected' }>['data']['domain']

/** Whom a reading is of, and what has happened there. */
export interface Read {
  readonly domain: Domain
  /** How many machines there are, without those of which the provider says that they are terminated. */
  readonly registered: number
  /** When those that are unavailable now became so. */
  readonly unavailableSince: readonly number[]
  /** When earlier removals were let through. */
  readonly removedAt: readonly number[]
  /** Who came back within the guard's window. */
  readonly back: Back
}

export interface GuardReading {
  readonly domain: Domain
  readonly tripped: boolean
  /** The machines that went unavailable together, and still are; while all is calm, all that are unavailable. */
  readonly unavailable: number
  /** The time within which they did. */
  readonly fromMs: number
  readonly untilMs: number
  readonly registered: number
  readonly share: number
  /** How many may be removed all the same, at this moment. */
  readonly allowance: number
  /** So much is wrong that none may be. */
  readonly isFullStop: boolean
  /**
   * So many came back lately that the others are most likely on their way: none is removed until that has shown. Else
   * the last ones of an outage would be removed in the very moment in which it ends.
   */
  readonly isRecovering: boolean
  /** Whether those that are still silent have been so since before the first came back: what is seen is the tail of it. */
  readonly isTail: boolean
  readonly clearsWhen: string
}

/**
 * The mass-failure guard of one domain: when many machines go silent together, it is more likely that we are wrong than
 * that they are gone. A worse outage never lets more go: what is allowed while tripped depends on the fleet's size
 * alone, and falls to nothing at a full stop. Where few are silent nothing is sorted, so that a calm look costs nothing.
 */
export function readGuard({ guard }: EnvironmentPolicy, read: Read, nowMs: number): GuardReading {
  const { domain, registered, unavailableSince, removedAt, back } = read
  const silent = unavailableSince.length
  const isOver = (count: number) => count > guard.floor && registered > 0 && count / registered > guard.share
  const most = guard.enabled && isOver(silent) ? mostWithin(unavailableSince, guard.windowMs) : null
  const { count: unavailable, fromMs, untilMs } = most ?? { count: silent, fromMs: 0, untilMs: 0 }
  const share = registered === 0 ? 0 : unavailable / registered
  const tripped = most !== null && isOver(unavailable)
  const isFullStop = tripped && share >= guard.fullStopShare
  const every = Math.floor(registered * guard.releaseShare)
  const recent = tripped ? removedAt.filter((at) => at > nowMs - guard.releaseEveryMs) : []
  const isRecovering = tripped && back.count > guard.floor
  const isTail = isRecovering && untilMs < (back.lastAt ?? 0)
  const isStopped = isFullStop || isRecovering
  const rate = isStopped ? 0 : Math.max(0, every - recent.length)
  return {
    ...{ domain, tripped, unavailable, fromMs, untilMs, registered, share },
    ...{ isFullStop, isRecovering, isTail },
    allowance: tripped ? rate : Number.POSITIVE_INFINITY,
    clearsWhen: clearing(guard, domain, isStopped ? 0 : every),
  }
}

/** What has to happen before removals go on as usual, and what goes on until then. */
function clearing(guard: EnvironmentPolicy['guard'], domain: Domain, every: number): string {
  const percent = (share: number) => `${Math.round(share * 100)} %`
  const where = domain === null ? '' : ` with ${domain.attribute} ${domain.value}`
  const meanwhile = every === 0 ? 'none is removed' : `at most ${every} in ${speakDuration(guard.releaseEveryMs)} are`
  return (
    `at most ${percent(guard.share)} of the machines${where}, or ${guard.floor}, are unavailable together, ` +
    `or a person releases it; until then ${meanwhile}`
  )
}

/** The largest number of instants that lie within one window, and where. */
function mostWithin(instants: readonly number[], windowMs: number) {
  const sorted = instants.toSorted((a, b) => a - b)
  let most = { count: 0, fromMs: 0, untilMs: 0 }
  let first = 0
  for (let last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! > windowMs) first++
    if (last - first + 1 > most.count)
      most = { count: last - first + 1, fromMs: sorted[first]!, untilMs: sorted[last]! }
  }
  return most
}
