import {
  PermissionViolationError,
  type NatsConnection,
  type NatsConnectionImpl,
  type Status,
} from '@nats-io/transport-node'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import { isSafe } from './connect.ts'

/** Bytes that may be on their way without the server having confirmed any of them. */
const unconfirmedBytesMax = 64 * 1_024 * 1_024
/** After so many bytes the server is asked to confirm. */
const confirmBytes = 1_024 * 1_024
/** A connection that comes and goes is spoken of once in this time. */
const quietMs = 30_000
const complaintsMax = 100
const retryMinMs = 100
const retryMaxMs = 5_000
/** How long a server that no longer answers has to take what was written to it, before its connection is cut. */
const letGoMs = 1_000

export interface LinkOptions {
  readonly clock: Clock
  readonly log: Log
  readonly allowOldServer: boolean
}

/**
 * Knows whether NATS can be reached and says so, and bounds what is on its way there. What NATS does not take is
 * dropped and counted: our own consumers read what they miss from the store.
 */
export class Link {
  readonly #options: LinkOptions
  readonly #complaints = new Set<string>()
  #connection: NatsConnection | null = null
  #connected = true
  #losses = 0
  #lostAtMs = 0
  #quietUntilMs = 0
  #spoken = false
  #dropped = 0
  #unconfirmedBytes = 0
  #confirming = false
  #slow = false

  constructor(options: LinkOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Follows a connection from now on, until it is closed. */
  follow(connection: NatsConnection): void {
    this.#connection = connection
    void this.#listen(connection)
  }

  /** The longer NATS is away, the longer the pause before the next try; the half of it is left to chance. */
  retryMs(): number {
    const { clock } = this.#options
    const awayMs = this.#connected ? 0 : clock.steadyMs() - this.#lostAtMs
    return Math.min(retryMaxMs, Math.max(retryMinMs, awayMs / 4)) * (0.5 + clock.chance() / 2)
  }

  /** Whether a message of this size may go; it counts as on its way, or as dropped. */
  admit(bytes: number): boolean {
    if (!this.#connected || this.#unconfirmedBytes + bytes > unconfirmedBytesMax) {
      this.#dropped += 1
      if (this.#connected && !this.#slow) this.#options.log.warn('NATS is too slow: messages are dropped')
      this.#slow = this.#connected
      return false
    }
    this.#unconfirmedBytes += bytes
    if (!this.#confirming && this.#unconfirmedBytes > confirmBytes) void this.#confirm()
    return true
  }

  async #confirm(): Promise<void> {
    this.#confirming = true
    const sentBytes = this.#unconfirmedBytes
    const arrived = await this.#connection?.flush().then(
      () => true,
      () => false,
    )
    // What was on its way when the connection broke is on its way no more.
    this.#unconfirmedBytes = arrived === true ? this.#unconfirmedBytes - sentBytes : 0
    this.#confirming = false
    this.#slow = false
  }

  async #listen(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) this.#hear(status)
    const reason = await connection.closed()
    this.#connected = false
    if (reason instanceof Error)
      this.#options.log.error({ error: reason }, 'the connection to NATS has ended and will not be tried again')
  }

  #hear(status: Status): void {
    switch (status.type) {
      case 'disconnect':
        return this.#lost(status.server)
      case 'reconnect':
        return this.#back(status.server)
      case 'error':
        return this.#complain(status.error)
      case 'ldm':
        return this.#options.log.info({ server: status.server }, 'this server of NATS is about to stop')
      case 'staleConnection':
        return void this.#letGo()
      case 'reconnecting':
      case 'forceReconnect':
      case 'slowConsumer':
      case 'update':
      case 'ping':
      case 'close':
    }
  }

  #lost(server: string): void {
    if (!this.#connected) return
    const { clock, log } = this.#options
    this.#connected = false
    this.#losses += 1
    this.#lostAtMs = clock.steadyMs()
    this.#spoken = this.#lostAtMs >= this.#quietUntilMs
    if (!this.#spoken) return log.debug({ server }, 'the connection to NATS is lost again')
    this.#quietUntilMs = this.#lostAtMs + quietMs
    log.warn({ server }, 'the connection to NATS is lost; consumers read from the store until it is back')
  }

  /**
   * The client gives a connection up only when all that was written is out, which a server that hangs never lets
   * happen. So it is cut from below, unless it was lost on its own by then.
   */
  async #letGo(): Promise<void> {
    const losses = this.#losses
    await this.#options.clock.sleep(letGoMs)
    if (this.#losses === losses) (this.#connection as NatsConnectionImpl).protocol.transport.discard()
  }

  #back(server: string): void {
    if (this.#connected) return
    const { clock, log, allowOldServer } = this.#options
    this.#connected = true
    const details = { server, awayMs: clock.steadyMs() - this.#lostAtMs, dropped: this.#dropped }
    this.#dropped = 0
    this.#complaints.clear()
    if (this.#spoken) log.info(details, 'connected to NATS again')
    else log.debug(details, 'connected to NATS again')
    const version = this.#connection?.info?.version ?? 'unknown'
    if (!allowOldServer && !isSafe(version)) log.error({ server, version }, 'this server of NATS is too old to be safe')
  }

  /** What the server refuses is said once for each subject, and not for each message. */
  #complain(error: Error): void {
    const { log } = this.#options
    const about = error instanceof PermissionViolationError ? `${error.operation} ${error.subject}` : error.message
    if (this.#complaints.has(about) || this.#complaints.size >= complaintsMax) return
    this.#complaints.add(about)
    if (about.includes(' $SRV.')) return log.debug({ about }, 'NATS tools will not see this server: it may not answer')
    log.error({ about, error }, 'NATS refuses something; see the permissions of this user')
  }
}
