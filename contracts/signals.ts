/**
 * Signals tell of the moment and are not kept: losing one costs a little time, never a fact.
 * They go from gateways to whoever keeps watch, in batches.
 */
export interface HeartbeatSignal {
  /** The gateway that heard them, which can be asked after them. It speaks up now and then even if it heard nobody. */
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

/** A machine speaks with this gateway from now on. */
export interface SessionSignal {
  readonly gatewayId: string
  readonly machineId: string
  /** Set once another gateway has found that two machines use this key: neither may work. */
  readonly isShared: boolean
}
