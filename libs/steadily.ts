import type { Clock } from './clock.ts'

/**
 * A clock whose steady time goes on from an earlier process of the same server, even when this one started with a wall
 * clock that was set back. Instants of both are then in order, and no duration between them comes out too long.
 * @param earliestMs the latest instant of the earlier process that is known; 0 when there was none
 */
export function steadilyFrom(clock: Clock, earliestMs: number): Clock {
  const aheadMs = Math.max(0, earliestMs - clock.steadyMs())
  return aheadMs === 0 ? clock : { ...clock, steadyMs: () => clock.steadyMs() + aheadMs }
}
