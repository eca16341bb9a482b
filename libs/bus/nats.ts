import type { Msg, NatsConnection, Subscription as NatsSubscription } from '@nats-io/transport-node'
import {
  BusFault,
  type Bus,
  type BusMessage,
  type Headers,
  type RawAnswer,
  type RawMessage,
  type Subscription,
} from './bus.ts'
import { Mailbox } from './mailbox.ts'
import { connectToNats } from './nats/connect.ts'
import { answerDiscovery } from './nats/discovery.ts'
import { faultOf } from './nats/fault.ts'
import { Link } from './nats/link.ts'
import { natsDefaults, type NatsBusOptions, type NatsSettings } from './nats/options.ts'
import { Responder } from './nats/responder.ts'
import { failureOf, frameOf, payloadOf, rawFrame, rawOf, type Frame } from './nats/wire.ts'
import { compilePattern } from './pattern.ts'

/** The longest time that a timer of Node can wait. */
const timeoutMaxMs = 2 ** 31 - 1

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
  readonly #settings: NatsSettings
  readonly #subscriptions = new Set<NatsSubscription>()
  readonly #responders = new Set<Responder>()
  readonly #mailboxes = new Set<Mailbox<Msg>>()
  #asking = 0
  #closed: Promise<void> | null = null

  constructor(nats: NatsConnection, link: Link, settings: NatsSettings) {
    this.#nats = nats
    this.#link = link
    this.#settings = settings
    answerDiscovery(nats, { clock: settings.clock, endpoints: () => [...this.#responders].map((it) => it.endpoint) })
  }

  publish(subject: string, payload: unknown, { headers: more }: { headers?: Headers } = {}): void {
    if (this.#closed) return
    // Without a connection nothing need be written for nobody; it counts as dropped all the same.
    if (!this.#link.connected) return void this.#link.admit(0)
    try {
      const { data, headers } = frameOf(subject, payload, this.#bytesMax, more)
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

  async request(
    subject: string,
    payload: unknown,
    { timeoutMs, headers: more }: { timeoutMs?: number; headers?: Headers } = {},
  ): Promise<unknown> {
    this.#mustBeOpen()
    const { requestsMax, requestTimeoutMs } = this.#settings
    if (!this.#link.connected) throw new BusFault('no-responders', `NATS is away, so nobody answers ${subject}`)
    if (this.#asking >= requestsMax) throw new BusFault('failed', `${requestsMax} requests wait for answers`)
    const { data, headers } = frameOf(subject, payload, this.#bytesMax, more)
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
    return this.#answer(pattern, queue, false, async (request) => {
      const { subject } = request
      return frameOf(subject, await handler({ subject, payload: payloadOf(request) }), this.#bytesMax)
    })
  }

  receive(
    pattern: string,
    handler: (message: RawMessage) => Promise<RawAnswer>,
    { queue }: { queue: string },
  ): Subscription {
    return this.#answer(pattern, queue, true, async (message) =>
      rawFrame(message.subject, await handler(rawOf(message)), this.#bytesMax),
    )
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

  #answer(
    pattern: string,
    queue: string | undefined,
    forOutsiders: boolean,
    answer: (request: Msg) => Promise<Frame>,
  ): Subscription {
    const { clock, log, requestsMax } = this.#settings
    const admit = (bytes: number) => this.#link.admit(bytes)
    const responder = new Responder({ clock, log, pattern, queue, requestsMax, forOutsiders, admit, answer })
    const subscription = this.#listen(pattern, queue, (message) => responder.take(message))
    this.#responders.add(responder)
    return {
      stop: () => {
        subscription.stop()
        this.#responders.delete(responder)
      },
    }
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
