import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { NatsAccess } from './access.ts'

export interface NatsBusOptions extends NatsAccess {
  readonly clock: Clock
  readonly log: Log
  /** REMUDA_NATS_ALLOW_OLD: whether a server with known security holes will do, as for tests and development. */
  readonly allowOldServer?: boolean
  /** Messages that may wait for one subscriber before more are dropped. */
  readonly waitingMax?: number
  /** Requests that one responder may have in hand, and that may wait for an answer here, before more fail. */
  readonly requestsMax?: number
  readonly requestTimeoutMs?: number
  /** How long closing waits for requests in hand to be answered. */
  readonly drainMs?: number
  /** For how long a server that does not answer at the start is tried again. */
  readonly connectWithinMs?: number
  readonly dialMs?: number
  /** How often a silent server is asked whether it is there. */
  readonly pingMs?: number
}

/** What is not set. */
export const natsDefaults = {
  waitingMax: 65_536,
  requestsMax: 65_536,
  requestTimeoutMs: 5_000,
  drainMs: 5_000,
  connectWithinMs: 15_000,
  dialMs: 5_000,
  pingMs: 10_000,
  allowOldServer: false,
}

export type NatsSettings = NatsBusOptions & typeof natsDefaults
