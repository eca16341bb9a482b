import type { EnvironmentPolicy } from '#contracts/policySettings.ts'

export interface GuardReading {
  readonly tripped: boolean
  /** Machines that went unavailable together, and still are. */
  readonly unavailable: number
  readonly registered: number
  readonly share: number
  /** How many may be removed all the same, at this moment. */
  readonly allowance: number
  readonly clearsWhen: string
}

/**
 * The mass-failure guard: when many machines go silent together, it is more likely that we are wrong than that they
 * are gone. A worse outage never lets more go: what is allowed while tripped depends on the fleet's size alone, and
 * falls to nothing at a full stop.
 * @param registered how many machines the environment has
 * @param unavailableSince when those that are unavailable now became so
 * @param removedAt when earlier removals were let through
 */
export function readGuard(
  { guard }: EnvironmentPolicy,
  registered: number,
  unavailableSince: readonly number[],
  removedAt: readonly number[],
  nowMs: number,
): GuardReading {
  const unavailable = mostWithin(
    unavailableSince.toSorted((a, b) => a - b),
    guard.windowMs,
  )
  const share = registered === 0 ? 0 : unavailable / registered
  const tripped = guard.enabled && unavailable > guard.floor && share > guard.share
  const recently = removedAt.filter((at) => at > nowMs - guard.releaseEveryMs).length
  const rate = share >= guard.fullStopShare ? 0 : Math.max(0, Math.floor(registered * guard.releaseShare) - recently)
  const percent = Math.round(guard.share * 100)
  return {
    tripped,
    unavailable,
    registered,
    share,
    allowance: tripped ? rate : Number.POSITIVE_INFINITY,
    clearsWhen: `at most ${percent} % of the machines, or ${guard.floor}, are unavailable together, or a person releases it`,
  }
}

/** The largest number of instants that lie within one window. */
function mostWithin(sorted: readonly number[], windowMs: number): number {
  let most = 0
  let first = 0
  for (let last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! > windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
