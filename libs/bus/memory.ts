import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
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
import { Switchboard } from './switchboard.ts'

export interface MemoryBusOptions {
  readonly clock: Clock
  readonly log: Log
  /** Messages that may wait for one subscriber before more are dropped. */
  readonly waitingMax?: number
  /** Requests that one responder may have in hand before more fail. */
  readonly requestsMax?: number
  readonly requestTimeoutMs?: number
}

interface Request extends BusMessage {
  readonly headers: Headers
  readonly answerWanted: boolean
  settle(outcome: { reply: unknown } | BusFault): void
}

/** Carries messages inside one process, by reference and in microtasks: no timers but those of request deadlines. */
export const createMemoryBus = (options: MemoryBusOptions): Bus => new MemoryBus(options)

class MemoryBus implements Bus {
  readonly #clock: Clock
  readonly #log: Log
  readonly #limits: { waitingMax: number; requestsMax: number; requestTimeoutMs: number }
  readonly #subscribers = new Switchboard<BusMessage>()
  readonly #responders = new Switchboard<Request>()
  /** Those among the responders that also take what nobody waits for. */
  readonly #receivers = new Switchboard<Request>()
  readonly #pending = new Set<Request>()
  #closed = false

  constructor({ clock, log, waitingMax = 65_536, requestsMax = 65_536, requestTimeoutMs = 5_000 }: MemoryBusOptions) {
    this.#clock = clock
    this.#log = log
    this.#limits = { waitingMax, requestsMax, requestTimeoutMs }
  }

  publish(subject: string, payload: unknown, { headers = {} }: { headers?: Headers } = {}): void {
    if (this.#closed) return
    const message = { subject, payload }
    for (const mailbox of this.#subscribers.receiversOf(subject)) mailbox.put(message)
    for (const mailbox of this.#receivers.receiversOf(subject))
      mailbox.put({ ...message, headers, answerWanted: false, settle: () => {} })
  }

  subscribe(
    pattern: string,
    handler: (message: BusMessage) => void | Promise<void>,
    { queue }: { queue?: string } = {},
  ): Subscription {
    this.#mustBeOpen()
    const { waitingMax: itemsMax } = this.#limits
    const mailbox = new Mailbox({ name: pattern, itemsMax, log: this.#log, handle: handler })
    return this.#subscribers.add(pattern, queue, mailbox)
  }

  async request(
    subject: string,
    payload: unknown,
    { timeoutMs, headers = {} }: { timeoutMs?: number; headers?: Headers } = {},
  ): Promise<unknown> {
    this.#mustBeOpen()
    const responders = this.#responders.receiversOf(subject)
    if (responders.length === 0) throw new BusFault('no-responders', `nobody answers ${subject}`)
    return new Promise((resolve, reject) => {
      const request = this.#track(
        { subject, payload, headers },
        timeoutMs ?? this.#limits.requestTimeoutMs,
        (outcome) => {
          if (outcome instanceof BusFault) reject(outcome)
          else resolve(outcome.reply)
        },
      )
      const taken = responders.filter((mailbox) => mailbox.put(request))
      if (taken.length === 0) request.settle(new BusFault('failed', `too many requests wait at ${subject}`))
    })
  }

  respond(
    pattern: string,
    handler: (message: BusMessage) => Promise<unknown>,
    { queue }: { queue?: string } = {},
  ): Subscription {
    this.#mustBeOpen()
    return this.#responders.add(pattern, queue, this.#responderMailbox(pattern, handler))
  }

  receive(
    pattern: string,
    handler: (message: RawMessage) => Promise<RawAnswer>,
    { queue }: { queue: string },
  ): Subscription {
    this.#mustBeOpen()
    const answer = async (request: Request) => {
      const { payload, failure } = await handler(rawOf(request))
      return failure === null ? payload : new BusFault('failed', failure.reason)
    }
    const mailbox = this.#responderMailbox(pattern, answer)
    const added = [this.#responders, this.#receivers].map((board) => board.add(pattern, queue, mailbox))
    return { stop: () => added.forEach((subscription) => subscription.stop()) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#subscribers.close()
    this.#responders.close()
    this.#receivers.close()
    for (const request of [...this.#pending]) request.settle(new BusFault('closed', 'the bus was closed'))
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new BusFault('closed', 'the bus is closed')
  }

  /** A request that is settled once: by its first answer, its deadline, or the end of the bus. */
  #track(
    message: Pick<Request, 'subject' | 'payload' | 'headers'>,
    timeoutMs: number,
    settled: (outcome: { reply: unknown } | BusFault) => void,
  ): Request {
    const timer = this.#clock.timer(timeoutMs, () =>
      request.settle(new BusFault('timeout', `no answer to ${message.subject} within ${timeoutMs} ms`)),
    )
    const request: Request = {
      ...message,
      answerWanted: true,
      settle: (outcome) => {
        if (!this.#pending.delete(request)) return
        timer.cancel()
        settled(outcome)
      },
    }
    this.#pending.add(request)
    return request
  }

  /** Requests are answered side by side, since one that waits must not hold up the others; their number is bounded. */
  #responderMailbox(pattern: string, answer: (request: Request) => Promise<unknown>): Mailbox<Request> {
    const { requestsMax } = this.#limits
    let inHand = 0
    const settleFrom = async (request: Request) => {
      try {
        const reply = await answer(request)
        request.settle(reply instanceof BusFault ? reply : { reply })
      } catch (error) {
        this.#log.warn({ subject: request.subject, error }, 'a request failed')
        request.settle(new BusFault('failed', error instanceof Error ? error.message : String(error), { cause: error }))
      } finally {
        inHand -= 1
      }
    }
    const handle = (request: Request) => {
      if (inHand >= requestsMax)
        return request.settle(new BusFault('failed', `${requestsMax} requests are in hand at ${request.subject}`))
      inHand += 1
      void settleFrom(request)
    }
    return new Mailbox({ name: pattern, itemsMax: requestsMax, log: this.#log, handle })
  }
}

/** What would have come over a wire: bytes, and names of headers in lower case. */
const rawOf = ({ subject, payload, headers, answerWanted }: Request): RawMessage => ({
  subject,
  bytes: Buffer.from(payload === undefined ? '' : JSON.stringify(payload)),
  headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  answerWanted,
})
