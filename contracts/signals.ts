import { z } from 'zod'
import { CheckLevel } from './health.ts'

/**
 * Signals tell of the moment and are not kept: losing one costs a little time, never a fact.
 * They go from gateways to whoever keeps watch, in batches.
 */
export const HeartbeatSignal = z.object({
  /** The gateway that heard them, which can be asked after them. It speaks up now and then even if it heard nobody. */
  gatewayId: z.string(),
  machineIds: z.array(z.string()).readonly(),
  /** Machines whose session ended since the last batch: a hint to look, not a verdict. */
  closed: z.array(z.string()).readonly(),
})
export type HeartbeatSignal = Readonly<z.infer<typeof HeartbeatSignal>>

/** A running attempt is still alive on its machine. */
export const TaskLeaseSignal = z.object({
  deploymentId: z.string(),
  taskId: z.string(),
  machineId: z.string(),
})
export type TaskLeaseSignal = Readonly<z.infer<typeof TaskLeaseSignal>>

/** What a check has found on a machine. Every run is told, so one that gets lost is made good by the next. */
export const CheckSignal = z.object({
  gatewayId: z.string(),
  machineId: z.string(),
  check: z.string(),
  level: CheckLevel,
  output: z.string(),
  exitCode: z.number().int().nullable(),
  durationMs: z.number(),
  timedOut: z.boolean(),
})
export type CheckSignal = Readonly<z.infer<typeof CheckSignal>>

/** A machine speaks with this gateway from now on. */
export const SessionSignal = z.object({
  gatewayId: z.string(),
  machineId: z.string(),
  /** Set once another gateway has found that two machines use this key: neither may work. */
  isShared: z.boolean(),
})
export type SessionSignal = Readonly<z.infer<typeof SessionSignal>>
