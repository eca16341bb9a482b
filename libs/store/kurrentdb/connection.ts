import {
  KurrentDBClient,
  START,
  streamNameFilter,
  type AllStreamSubscription,
  type EventData,
  type AppendResult,
  type ResolvedEvent,
} from '@kurrent/kurrentdb-client'
import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import { NoAnswer } from './faults.ts'
import { Slots } from './slots.ts'
import type { Target } from './target.ts'

/**
 * The client sends all appends over one call, and waits when sixteen messages are on their way there. If that call
 * breaks while it waits, it rejects a promise that nobody can catch. So there are always fewer than that.
 */
const appendsAtOnce = 12
const appendsWaitingMax = 100_000
/** More than the server takes at once, so that every append is one message. */
const messageBytesMax = 32 * 1_048_576

export interface ConnectionOptions {
  readonly target: Target
  readonly clock: Clock
  /** How long an answer is waited for. */
  readonly answerMs: number
}

/** What of a stream is shown: its last events, or those from a revision on. */
export type Cut = { readonly maxCount: number } | { readonly truncateBefore: number }

/** The ways to the cluster, which find its leader and connect again by themselves. */
export class Connection implements AsyncDisposable {
  readonly #options: ConnectionOptions
  readonly #writing: KurrentDBClient
  readonly #reading: KurrentDBClient
  readonly #slots = new Slots(appendsAtOnce, appendsWaitingMax)

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#writing = clientOf(options.target)
    this.#reading = clientOf(options.target)
  }

  /** Appends behind an exact revision. Throws what the client throws, or `NoAnswer`. */
  append(
    stream: string,
    streamState: bigint | 'no_stream' | 'any',
    events: readonly EventData[],
  ): Promise<AppendResult> {
    const { answerMs: deadline } = this.#options
    const options = { streamState, deadline, batchAppendSize: messageBytesMax, requiresLeader: true }
    return this.#write((client) => client.appendToStream(stream, [...events], options))
  }

  /** Sets what of a stream is shown from now on. */
  async cut(stream: string, metadata: Cut): Promise<void> {
    const { answerMs: deadline } = this.#options
    await this.#write((client) => client.setStreamMetadata(stream, metadata, { deadline, requiresLeader: true }))
  }

  /** All that a read brings, which has to be little enough to come in time. */
  read(ask: (client: KurrentDBClient) => AsyncIterable<ResolvedEvent>): Promise<readonly ResolvedEvent[]> {
    return this.#inTime(Array.fromAsync(ask(this.#reading)))
  }

  /** The events of this store behind a position, as they come, until the connection breaks. */
  subscribe(after: number): AllStreamSubscription {
    const position = BigInt(after)
    return this.#reading.subscribeToAll({
      fromPosition: after === 0 ? START : { commit: position, prepare: position },
      filter: streamNameFilter({ prefixes: [this.#options.target.names.eventPrefix] }),
      requiresLeader: true,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#writing.dispose(), this.#reading.dispose()])
  }

  #write<Answer>(ask: (client: KurrentDBClient) => Promise<Answer>): Promise<Answer> {
    return this.#slots.run(async () => {
      try {
        return await this.#inTime(ask(this.#writing))
      } catch (error) {
        // The call that all appends share may be stuck: the next one begins another.
        if (error instanceof NoAnswer) void this.#writing.dispose()
        throw error
      }
    })
  }

  async #inTime<Answer>(work: Promise<Answer>): Promise<Answer> {
    const { clock, answerMs } = this.#options
    const late = Promise.withResolvers<never>()
    const timer = clock.timer(answerMs, () => late.reject(new NoAnswer(answerMs)))
    try {
      return await Promise.race([work, late.promise])
    } finally {
      timer.cancel()
    }
  }
}

function clientOf({ connection, shown }: Target): KurrentDBClient {
  try {
    return KurrentDBClient.connectionString(connection)
  } catch {
    // What the client says may hold the password, so that it is not even kept as the cause.
    throw new StoreFault(`The client of KurrentDB can not use this URL: ${shown}. Check its options and files.`)
  }
}
