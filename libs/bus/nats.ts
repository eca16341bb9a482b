import type { Msg, NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import { BusFault, type Bus, type BusMessage, type Subscription } from './bus.ts'
import { Mailbox } from './mailbox.ts'
import type { NatsAccess } from './nats/access.ts'
import { connectToNats } from './nats/connect.ts'
import { answerDiscovery } from './nats/discovery.ts'
import { faultOf } from './nats/fault.ts'
import { Link } from './nats/link.ts'
import { Responder } from './nats/responder.ts'
import { failureOf, frameOf, payloadOf } from './nats/wire.ts'
import { compilePattern } from './pattern.ts'

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
/** The longest time that a timer of Node can wait. */
const timeoutMaxMs = 2 ** 31 - 1

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

/**
 * Opens a bus on NATS. While NATS cannot be reached, what is published is dropped and requests fail at once; the
 * connection comes back by itself, with all its subscriptions.
 * @param url `nats://` or `tls://`, with a user and a password where needed, several servers divided by commas
 * @throws BusFault in words for people, when NATS cannot be reached at the start, or is too old
 */
export async function openNatsBus(url: string, options: NatsBusOptions): Promise<Bus> {
  const settings = { ...natsDefaults, ...options }
  const link = new Link(settings)
  const connection = await connectToNats(url, { ...settings, access: options, retryMs: () => link.retryMs() })
  link.follow(connection)
  return new NatsBus(connection, link, settings)
}

class NatsBus implements Bus {
  readonly #nats: NatsConnection
  readonly #link: Link
  readonly #settings: NatsBusOptions & typeof natsDefaults
  readonly #subscriptions = new Set<NatsSubscription>()
  readonly #responders = new Set<Responder>()
  readonly #mailboxes = new Set<Mailbox<Msg>>()
  #asking = 0
  #closed: Promise<void> | null = null

  constructor(nats: NatsConnection, link: Link, settings: NatsBusOptions & typeof natsDefaults) {
    this.#nats = nats
    this.#link = link
    this.#settings = settings
    answerDiscovery(nats, { clock: settings.clock, endpoints: () => [...this.#responders].map((it) => it.endpoint) })
  }

  publish(subject: string, payload: unknown): void {
    if (this.#closed) return
    // Without a connection nothing need be written for nobody; it counts as dropped all the same.
    if (!this.#link.connected) return void this.#link.admit(0)
    try {
      const { data, headers } = frameOf(subject, payload, this.#bytesMax)
      if (this.#link.admit(data.byteLength)) this.#nats.publish(subject, data, headers && { headers })
    } catch (error) {
      this.#settings.log.error({ subject, error }, 'a message cannot be published')
    }
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    { queue }: { queue?: string } = {},
  ): Subscription {
    const { waitingMax: itemsMax, log } = this.#settings
    const handle = (message: Msg) => handler({ subject: message.subject, payload: payloadOf(message) })
    const mailbox = new Mailbox({ name: pattern, itemsMax, log, handle })
    // Who asks for an answer talks to responders, on this bus as on any other.
    const subscription = this.#listen(pattern, queue, (message) => message.reply || mailbox.put(message))
    this.#mailboxes.add(mailbox)
    return {
      stop: () => {
        subscription.stop()
        mailbox.close()
        this.#mailboxes.delete(mailbox)
      },
    }
  }

  async request(subject: string, payload: unknown, { timeoutMs }: { timeoutMs?: number } = {}): Promise<unknown> {
    this.#mustBeOpen()
    const { requestsMax, requestTimeoutMs } = this.#settings
    if (!this.#link.connected) throw new BusFault('no-responders', `NATS is away, so nobody answers ${subject}`)
    if (this.#asking >= requestsMax) throw new BusFault('failed', `${requestsMax} requests wait for answers`)
    const { data, headers } = frameOf(subject, payload, this.#bytesMax)
    const timeout = Math.min(timeoutMaxMs, Math.max(1, timeoutMs ?? requestTimeoutMs))
    this.#asking += 1
    try {
      const reply = await this.#nats.request(subject, data, { timeout, ...(headers && { headers }) })
      const failure = failureOf(reply)
      if (failure !== null) throw new BusFault('failed', failure)
      return payloadOf(reply)
    } catch (error) {
      throw faultOf(error, subject, timeout, this.#closed !== null || this.#nats.isClosed())
    } finally {
      this.#asking -= 1
    }
  }

  respond(
    pattern: string,
    handler: (message: BusMessage) => Promise<unknown>,
    { queue }: { queue?: string } = {},
  ): Subscription {
    const { clock, log, requestsMax } = this.#settings
    const bytesMax = () => this.#bytesMax
    const admit = (bytes: number) => this.#link.admit(bytes)
    const responder = new Responder({ clock, log, pattern, queue, requestsMax, bytesMax, admit, answer: handler })
    const subscription = this.#listen(pattern, queue, (message) => responder.take(message))
    this.#responders.add(responder)
    return {
      stop: () => {
        subscription.stop()
        this.#responders.delete(responder)
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  get #bytesMax(): number {
    return this.#nats.info?.max_payload ?? Infinity
  }

  #mustBeOpen(): void {
    if (this.#closed || this.#nats.isClosed()) throw new BusFault('closed', 'the bus is closed')
  }

  #listen(pattern: string, queue: string | undefined, hear: (message: Msg) => void): Subscription {
    this.#mustBeOpen()
    compilePattern(pattern)
    const subscription = this.#nats.subscribe(pattern, {
      ...(queue !== undefined && { queue }),
      // Errors are those of permissions, and the link speaks of them.
      callback: (error, message) => void (error === null && hear(message)),
    })
    this.#subscriptions.add(subscription)
    return {
      stop: () => {
        if (this.#subscriptions.delete(subscription)) subscription.unsubscribe()
      },
    }
  }

  /** Takes no more, answers what it has in hand, lets all of it get out, and goes; and goes in time in any case. */
  async #close(): Promise<void> {
    const { clock, drainMs } = this.#settings
    for (const mailbox of this.#mailboxes) mailbox.close()
    const over = new AbortController()
    await Promise.race([this.#drain(), clock.sleep(drainMs, over.signal)])
    over.abort()
    await this.#nats.close()
  }

  async #drain(): Promise<void> {
    if (!this.#link.connected) return
    await Promise.allSettled([...this.#subscriptions].map((subscription) => subscription.drain()))
    await Promise.all([...this.#responders].map((responder) => responder.settled()))
    await this.#nats.flush().catch(() => {})
  }
}
