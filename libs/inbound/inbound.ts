import { problemType, type Problem } from '#contracts/problem.ts'
import { inboundSubjects, inboundSubjectsAs, inboundTypeOf } from '#contracts/subjects.ts'
import type { Bus, RawAnswer, RawMessage, Subscription } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Authenticate } from '../http/guard.ts'
import type { Http } from '../http/http.ts'
import { defaultLimits, type HttpLimits } from '../http/limits.ts'
import type { Log } from '../log.ts'
import { problemOf, Refused } from '../problem.ts'
import type { EventStore } from '../store/store.ts'
import { carryOut, type Outcome } from './carry.ts'
import { ParkedRequests } from './parked.ts'
import type { CloudEvent } from './cloudEvent.ts'
import { readEvent, readRequest, type Readable } from './request.ts'
import { createSenders, type Sender, type Senders } from './senders.ts'
import { createTally, type Tally } from './tally.ts'

/** Requests in hand at once; more are told to come again. */
const inHandMax = 256
const graceMs = 5_000
const retryMs = 1_000
const queue = 'inbound'

export interface InboundOptions {
  /** The HTTP API, which carries requests out. */
  readonly app: Http
  readonly bus: Bus
  readonly store: EventStore
  readonly clock: Clock
  readonly log: Log
  readonly authenticator: {
    readonly authenticate: Authenticate
    /** A bearer token for this process alone, which stands for an API token. */
    readonly vouchFor: (tokenId: string) => string
  }
  readonly limits?: Partial<HttpLimits>
  /** Who may be believed to be whom their subject names, since NATS lets nobody else publish there; and as which API token. */
  readonly users?: ReadonlyMap<string, string> | undefined
}

/**
 * Takes the requests of other systems from the bus and answers each with what came of it, or with a problem. Strangers
 * are answered, counted and forgotten; what a known sender has sent in vain is parked, where people see it.
 */
export const startInbound = (options: InboundOptions): AsyncDisposable => new Inbound(options)

class Inbound implements AsyncDisposable {
  readonly #options: InboundOptions
  readonly #limits: HttpLimits
  readonly #senders: Senders
  readonly #tally: Tally
  readonly #parked: ParkedRequests
  readonly #subscriptions: readonly Subscription[]
  readonly #inHand = new Set<Promise<unknown>>()

  constructor(options: InboundOptions) {
    const { app, bus, store, clock, log, authenticator, users = new Map<string, string>() } = options
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#senders = createSenders(clock, authenticator.authenticate, this.#limits)
    this.#tally = createTally(app.vitals.metrics, clock, log)
    this.#parked = new ParkedRequests(store, clock)
    const listen = (subjects: string, credential: string | null) =>
      bus.receive(subjects, (message) => this.#receive(message, credential), { queue })
    this.#subscriptions = [
      listen(inboundSubjects, null),
      ...[...users].map(([user, tokenId]) => listen(inboundSubjectsAs(user), authenticator.vouchFor(tokenId))),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.stop()
    const over = new AbortController()
    await Promise.race([Promise.allSettled(this.#inHand), this.#options.clock.sleep(graceMs, over.signal)])
    over.abort()
  }

  async #receive(message: RawMessage, credential: string | null): Promise<RawAnswer> {
    const asked = { url: message.subject, id: this.#options.clock.id() }
    if (this.#inHand.size >= inHandMax) {
      this.#tally.count('limited', message, null, asked.id)
      const busy = new Refused('TOO_MANY_REQUESTS', `${inHandMax} requests are in hand.`, { retryAfterMs: retryMs })
      return answerOf(problemOf(busy, asked))
    }
    const answered = this.#answer(message, credential, asked).finally(() => this.#inHand.delete(answered))
    this.#inHand.add(answered)
    return answerOf(await answered)
  }

  async #answer(message: RawMessage, credential: string | null, asked: Asked): Promise<Outcome> {
    let sender: Sender | null = null
    let event: CloudEvent | null = null
    try {
      sender = await this.#senders.identify(message, credential)
      event = readEvent(message, this.#limits)
      const readable = readRequest(message.subject, event)
      return await this.#carryOut(message, readable, sender, asked)
    } catch (error) {
      const problem = problemOf(refusalOf(error, asked), asked)
      if (problem.code === 'FAULT') this.#options.log.error({ err: error, requestId: asked.id }, 'a request failed')
      return this.#refused(message, problem, sender, event)
    }
  }

  /** What the routes have to say is the answer; without anybody who hears it, a no is for people to see. */
  async #carryOut(message: RawMessage, readable: Readable, sender: Sender, asked: Asked): Promise<Outcome> {
    const outcome = await carryOut(this.#options.app, readable, sender.bearer)
    if ('accepted' in outcome) {
      this.#tally.count('accepted', message, sender, asked.id)
      return outcome
    }
    const problem = { ...outcome, instance: asked.url }
    const isLimited = problem.code === 'TOO_MANY_REQUESTS'
    this.#tally.count(isLimited ? 'limited' : 'refused', message, sender, asked.id)
    if (!message.answerWanted && !isLimited) await this.#park(message, problem, sender, readable.event)
    return problem
  }

  /** What could not be read, or did not come from anybody we know. */
  async #refused(
    message: RawMessage,
    problem: Problem,
    sender: Sender | null,
    event: CloudEvent | null,
  ): Promise<Problem> {
    if (problem.code === 'TOO_MANY_REQUESTS') this.#tally.count('limited', message, sender, problem.requestId)
    else if (sender === null) this.#tally.count('stranger', message, null, problem.requestId)
    else {
      this.#tally.count('unreadable', message, sender, problem.requestId)
      await this.#park(message, problem, sender, event)
    }
    return problem
  }

  async #park(message: RawMessage, problem: Problem, sender: Sender, event: CloudEvent | null): Promise<void> {
    const { code, detail } = problem
    const { source = null, id: eventId = null } = event ?? {}
    const about = { type: inboundTypeOf(message.subject), code, detail, actor: sender.principal.id, source, eventId }
    try {
      await this.#parked.park({ ...about, bytes: message.bytes })
    } catch (error) {
      this.#options.log.error({ error, ...about }, 'a request of another system could not be parked')
    }
  }
}

interface Asked {
  readonly url: string
  readonly id: string
}

const refusalOf = (error: unknown, { id }: Asked): Refused =>
  error instanceof Refused ? error : new Refused('FAULT', `The log says more under the request id ${id}.`)

function answerOf(outcome: Outcome): RawAnswer {
  if ('accepted' in outcome) return { payload: outcome, headers: { 'content-type': 'application/json' }, failure: null }
  const { status, code, detail } = outcome
  return {
    payload: outcome,
    headers: { 'content-type': problemType },
    failure: { status, reason: `${code}: ${detail}` },
  }
}
