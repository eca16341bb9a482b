/**
 * Signals tell of the moment and are not kept: losing one costs a little time, never a fact.
 * They go from gateways to whoever keeps watch, in batches.
 */
export interface HeartbeatSignal {
  /** The gateway that heard them; health knows by it which machines a lost gateway could not hear. */
  readonly gatewayId: string
  readonly machineIds: readonly string[]
  /** Machines whose session ended since the last batch: a hint to look, not a verdict. */
  readonly closed: readonly string[]
}

/** A running attempt is still alive on its machine. */
export interface TaskLeaseSignal {
  readonly deploymentId: string
  readonly taskId: string
  readonly machineId: string
}
