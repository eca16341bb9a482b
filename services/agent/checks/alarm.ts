import type { AgentCheck } from '#contracts/agent.ts'
import type { Clock, Timer } from '#libs/clock.ts'
import { nextRunMs } from './schedule.ts'

/** A timer does not know of the wall clock being set, nor of a machine that slept, so both are looked at this often. */
const lookAgainMs = 60_000

/**
 * Calls `ring` once, when the check is to be made next; null when it never is. Intervals are of the steady clock. A
 * cron rule names times of the calendar, so it goes by the wall clock, also when that is set.
 */
export function setAlarm(clock: Clock, check: AgentCheck, machineId: string, ring: () => void): Timer | null {
  const nowMs = () => (check.cron === undefined ? clock.steadyMs() : clock.wallMs())
  let setMs = nowMs()
  let dueMs = nextRunMs(check, machineId, setMs)
  if (dueMs === null) return null
  const sleep = () => clock.timer(Math.min(dueMs! - nowMs(), lookAgainMs), look)
  const look = () => {
    const now = nowMs()
    if (dueMs !== null && now >= dueMs) return ring()
    if (now < setMs) {
      setMs = now
      dueMs = nextRunMs(check, machineId, now) ?? dueMs
    }
    timer = sleep()
  }
  let timer = sleep()
  return { cancel: () => timer.cancel() }
}
