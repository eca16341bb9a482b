import type { Clock } from './clock.ts'

export interface BackoffLimits {
  readonly baseMs: number
  readonly delayMaxMs: number
}

/**
 * How long to wait before trying again: doubles with every failure up to a ceiling, and the upper half is left to
 * chance so that those who failed together do not come back together.
 * @param failures how many tries in a row have failed, from 1
 */
export function backoffMs(clock: Clock, failures: number, { baseMs, delayMaxMs }: BackoffLimits): number {
  const ceilingMs = Math.min(delayMaxMs, baseMs * 2 ** (failures - 1))
  return (ceilingMs / 2) * (1 + clock.chance())
}
