import { refuse, type Refusal } from '#libs/decider.ts'
import type { Clock } from '#libs/clock.ts'

const aheadMaxDays = 30
const aheadMaxMs = aheadMaxDays * 86_400_000

/**
 * When a deployment is due that a person wants at a time of the wall clock: from here on that clock may be set as it
 * likes, and the wait goes on by the steady one.
 * @returns the instant as the fact holds it, or why there can be none
 */
export function startDue(
  startAt: string | undefined,
  clock: Pick<Clock, 'steadyMs' | 'wallMs'>,
): { readonly startDueAt?: number } | Refusal {
  if (startAt === undefined) return {}
  const aheadMs = Date.parse(startAt) - clock.wallMs()
  if (aheadMs <= 0) return refuse('START_TIME_INVALID', `${startAt} is over: leave startAt out to start at once`)
  if (aheadMs > aheadMaxMs)
    return refuse('START_TIME_INVALID', `${startAt} is more than ${aheadMaxDays} days ahead: name an earlier time`)
  return { startDueAt: Math.round(clock.steadyMs() + aheadMs) }
}
