/**
 * Carries events and requests between services; never the truth. Messages may be lost, doubled, late or reordered,
 * and nothing may break by it. Subjects are dot-separated; `*` matches one token, a last `>` the rest.
 */
export interface Bus extends AsyncDisposable {
  /** Hands a message to whoever subscribes now. Never waits, never throws for want of a subscriber. */
  publish(subject: string, payload: unknown, options?: { headers?: Headers }): void
  /** With a `queue`, each message goes to one of the subscribers of that queue. A throwing handler is logged. */
  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    options?: { queue?: string },
  ): Subscription
  /** Asks and waits. Throws `BusFault` when nobody answers (`no-responders`), in time (`timeout`), or after close. */
  request(subject: string, payload: unknown, options?: { timeoutMs?: number; headers?: Headers }): Promise<unknown>
  /** Answers requests; what the handler returns is the reply. A throw reaches the asker as `BusFault` (`failed`). */
  respond(
    pattern: string,
    handler: (message: BusMessage) => Promise<unknown>,
    options?: { queue?: string },
  ): Subscription
  /**
   * Takes what other systems send, as it came and whether they wait for an answer or not. An answer that tells of a
   * failure, and a throw, reach who asked by `request` as `BusFault` (`failed`).
   */
  receive(
    pattern: string,
    handler: (message: RawMessage) => Promise<RawAnswer>,
    options: { queue: string },
  ): Subscription
}

/** What goes with a message beside its payload, by name. */
export type Headers = Readonly<Record<string, string>>

export interface BusMessage {
  readonly subject: string
  readonly payload: unknown
}

/** A message of another system: nothing of it has been parsed, and nothing of it is to be believed. */
export interface RawMessage {
  readonly subject: string
  readonly bytes: Uint8Array
  /** By name in lower case; of several with one name, the first. */
  readonly headers: ReadonlyMap<string, string>
  readonly answerWanted: boolean
}

export interface RawAnswer {
  readonly payload: unknown
  readonly headers: Headers
  /** Set when the answer says no, for tools that count failures without reading answers. */
  readonly failure: { readonly status: number; readonly reason: string } | null
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
