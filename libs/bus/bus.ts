/**
 * Carries events and requests between services; never the truth. Messages may be lost, doubled, late or reordered,
 * and nothing may break by it. Subjects are dot-separated; `*` matches one token, a last `>` the rest.
 */
export interface Bus extends AsyncDisposable {
  /** Hands a message to whoever subscribes now. Never waits, never throws for want of a subscriber. */
  publish(subject: string, payload: unknown): void
  /** With a `queue`, each message goes to one of the subscribers of that queue. A throwing handler is logged. */
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: { queue?: string },
  ): Subscription
  /** Asks and waits. Throws `BusFault` when nobody answers (`no-responders`), in time (`timeout`), or after close. */
  request(subject: string, payload: unknown, options?: { timeoutMs?: number }): Promise<unknown>
  /** Answers requests; what the handler returns is the reply. A throw reaches the asker as `BusFault` (`failed`). */
  respond(
    pattern: string,
    handler: (message: BusMessage) => Promise<unknown>,
    options?: { queue?: string },
  ): Subscription
}

export interface BusMessage {
  readonly subject: string
  readonly payload: unknown
}

export interface Subscription {
  stop(): void
}

export class BusFault extends Error {
  override readonly name = 'BusFault'
  readonly reason: 'no-responders' | 'timeout' | 'closed' | 'failed'
  constructor(reason: BusFault['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
