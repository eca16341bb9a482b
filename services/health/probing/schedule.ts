import { hashOf } from '#contracts/partitions.ts'

/**
 * The first instant after `afterMs` at which the machine is due. Machines are spread over the interval by their ids, so
 * that no instant has many of them, and each has the same place in it in every process and after every restart.
 */
export function dueAfter(machineId: string, everyMs: number, afterMs: number): number {
  const placeMs = hashOf(machineId) % everyMs
  const next = Math.floor((afterMs - placeMs) / everyMs) + 1
  return next * everyMs + placeMs
}

/**
 * When a machine is due again that was looked at now. One that had to wait for its turn leaves out the place that comes
 * too soon: failures that follow each other closely say no more than one.
 */
export const dueAgain = (machineId: string, everyMs: number, lookedAtMs: number): number =>
  dueAfter(machineId, everyMs, lookedAtMs + everyMs / 2)
