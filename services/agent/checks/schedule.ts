import { createHash } from 'node:crypto'
import type { AgentCheck } from '#contracts/agent.ts'
import { nextCronMs } from '#libs/cronRule.ts'

type Timing = Pick<AgentCheck, 'name' | 'everyMs' | 'cron'>

const spreadBytes = 6

/**
 * When a check is made next, after `afterMs` and never at it. An interval begins for each machine and check at a moment
 * of its own, so that a fleet does not do the same thing at once, and at the same one after every restart. Pure.
 * @returns null when it is never made
 */
export function nextRunMs({ name, everyMs, cron }: Timing, machineId: string, afterMs: number): number | null {
  if (cron !== undefined) return nextCronMs(cron, afterMs)
  if (everyMs === undefined) return null
  const shiftMs = hashOf(`${machineId}\n${name}`) % everyMs
  return shiftMs + (Math.floor((afterMs - shiftMs) / everyMs) + 1) * everyMs
}

const hashOf = (text: string) => createHash('sha256').update(text).digest().readUIntBE(0, spreadBytes)
