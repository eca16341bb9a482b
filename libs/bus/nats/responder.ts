import type { Msg } from '@nats-io/transport-node'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import { failureHeaders, failureOf, isInbox, type Frame } from './wire.ts'

export interface ResponderOptions {
  readonly clock: Clock
  readonly log: Log
  readonly pattern: string
  readonly queue: string | undefined
  /** Requests that may be in hand before more fail. */
  readonly requestsMax: number
  /** Whether outsiders ask: then what nobody waits for is taken as well, and answers go to inboxes only. */
  readonly forOutsiders: boolean
  readonly admit: (bytes: number) => boolean
  readonly answer: (request: Msg) => Promise<Frame>
}

/** What a responder has done, for the statistics of NATS services. */
export interface Endpoint {
  readonly pattern: string
  readonly queue: string | undefined
  readonly requests: number
  readonly errors: number
  readonly lastError: string
  readonly busyMs: number
}

/** Answers the requests of one subscription side by side, since one that waits must not hold up the others. */
export class Responder {
  readonly #options: ResponderOptions
  readonly #inHand = new Set<Promise<void>>()
  #requests = 0
  #errors = 0
  #lastError = ''
  #busyMs = 0

  constructor(options: ResponderOptions) {
    this.#options = options
  }

  get endpoint(): Endpoint {
    const { pattern, queue } = this.#options
    const [requests, errors, lastError, busyMs] = [this.#requests, this.#errors, this.#lastError, this.#busyMs]
    return { pattern, queue, requests, errors, lastError, busyMs }
  }

  /** Resolves when every request that was taken has its answer. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#inHand)
  }

  take(request: Msg): void {
    const { requestsMax, forOutsiders } = this.#options
    // What nobody waits for was published; those who subscribe hear it.
    if (!request.reply && !forOutsiders) return
    this.#requests += 1
    if (this.#inHand.size >= requestsMax) return this.#fail(request, `${requestsMax} requests are in hand here`)
    const answered = this.#answer(request).finally(() => this.#inHand.delete(answered))
    this.#inHand.add(answered)
  }

  async #answer(request: Msg): Promise<void> {
    const { clock, log, answer, admit } = this.#options
    const { subject } = request
    const startedMs = clock.steadyMs()
    try {
      const { data, headers } = await answer(request)
      const failure = failureOf({ headers })
      if (failure !== null) this.#count(failure)
      if (this.#isAnswerable(request) && admit(data.byteLength)) request.respond(data, headers && { headers })
    } catch (error) {
      log.warn({ subject, error }, 'a request failed')
      this.#fail(request, error instanceof Error ? error.message : String(error))
    }
    this.#busyMs += clock.steadyMs() - startedMs
  }

  #fail(request: Msg, reason: string): void {
    this.#count(reason)
    try {
      if (this.#isAnswerable(request) && this.#options.admit(0))
        request.respond(undefined, { headers: failureHeaders(reason) })
    } catch (error) {
      this.#options.log.debug({ subject: request.subject, error }, 'the failure of a request could not be told')
    }
  }

  #isAnswerable({ reply }: Msg): boolean {
    return this.#options.forOutsiders ? isInbox(reply) : Boolean(reply)
  }

  #count(failure: string): void {
    this.#errors += 1
    this.#lastError = failure
  }
}
