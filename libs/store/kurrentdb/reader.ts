import {
  BACKWARDS,
  END,
  START,
  streamNameFilter,
  type ReadPosition,
  type ResolvedEvent,
} from '@kurrent/kurrentdb-client'
import type { Recorded } from '#contracts/message.ts'
import { patientlyWhile, type Patience } from '../patience.ts'
import type { StreamSlice } from '../store.ts'
import type { Connection } from './connection.ts'
import { recordedOf } from './events.ts'
import { asFault, isInvalidPosition, isNotFound, isPassing } from './faults.ts'
import type { Names } from './names.ts'
import type { Recent } from './recent.ts'

const eventsAtOnce = 1_000

export interface ReaderParts extends Patience {
  readonly connection: Connection
  readonly names: Names
  readonly recent: Recent
}

/**
 * Reads from the leader, so that what was acknowledged is seen. Reading may be done twice: an answer that is lost is
 * asked for again.
 */
export class Reader {
  readonly #parts: ReaderParts

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  async stream(stream: string, afterVersion: number): Promise<StreamSlice> {
    const name = this.#parts.names.eventStream(stream)
    const doing = `reading ${stream}`
    const events: Recorded[] = []
    // The event at `afterVersion` comes along to tell that the stream goes that far, which saves asking for its version.
    for (let from = Math.max(0, afterVersion - 1); ;) {
      const page = await this.#patiently(doing, () => this.#streamPage(name, from))
      events.push(...page)
      from += page.length
      if (page.length < eventsAtOnce) break
    }
    const last = events.at(-1)
    if (last !== undefined)
      return { version: last.meta.version, events: events.filter(({ meta }) => meta.version > afterVersion) }
    return { version: afterVersion === 0 ? 0 : await this.version(stream), events }
  }

  async version(stream: string): Promise<number> {
    const last = await this.last(this.#parts.names.eventStream(stream))
    return last?.event === undefined ? 0 : Number(last.event.revision) + 1
  }

  /** The last event of a stream by its full name; null when it has none. */
  async last(name: string): Promise<ResolvedEvent | null> {
    const [last] = await this.#patiently(`reading ${name}`, () =>
      this.#streamOnce(name, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }),
    )
    return last ?? null
  }

  /** All events of a stream by its full name. */
  everything(name: string): Promise<readonly ResolvedEvent[]> {
    return this.#patiently(`reading ${name}`, () => this.#streamOnce(name, {}))
  }

  page(after: number, limit: number): Promise<readonly Recorded[]> {
    return this.#patiently(`reading after position ${after}`, () => this.pageOnce(after, limit))
  }

  /** A page, with nothing tried again. Throws what was thrown. */
  async pageOnce(after: number, limit: number): Promise<readonly Recorded[]> {
    const near = this.#parts.recent.page(after, limit)
    if (near !== null) return near
    if (after === 0) return this.#allFrom(START, limit)
    // Whoever asks for one event mostly asks for the one that is at the next position.
    const starts = limit === 1 ? [after + 1, after] : [after]
    for (const start of starts) {
      const events = await this.#allFromEventAt(start, limit + 1)
      if (events !== null) return events.filter(({ meta }) => meta.position > after).slice(0, limit)
    }
    return this.#scan(after, limit)
  }

  head(): Promise<number> {
    return this.#patiently('reading the end of the log', () => this.headOnce())
  }

  async headOnce(): Promise<number> {
    const { connection, names } = this.#parts
    const filter = streamNameFilter({ prefixes: [names.eventPrefix] })
    const options = { direction: BACKWARDS, fromPosition: END, maxCount: 1, filter, requiresLeader: true } as const
    const [last] = await connection.read((client) => client.readAll(options))
    return last === undefined ? 0 : recordedOf(last, names).meta.position
  }

  /** All events of all streams whose names begin with a prefix, from one end of the log to the other. */
  async *throughout(prefix?: string): AsyncGenerator<ResolvedEvent> {
    let start: ReadPosition = START
    for (;;) {
      const from: ReadPosition = start
      const page: readonly ResolvedEvent[] = await this.#patiently('reading the whole log', () =>
        this.rawFrom(from, eventsAtOnce, prefix),
      )
      // Every page but the first begins with the last event of the one before.
      yield* from === START ? page : page.slice(1)
      const last = page.at(-1)?.event?.position
      if (page.length < eventsAtOnce || last === undefined) return
      start = last
    }
  }

  /** The events as the server tells of them, in order, for who looks at each of them. */
  async rawFrom(
    start: ReadPosition,
    limit: number,
    prefix = this.#parts.names.eventPrefix,
  ): Promise<readonly ResolvedEvent[]> {
    const { connection } = this.#parts
    const filter = streamNameFilter({ prefixes: [prefix] })
    return connection.read((client) =>
      client.readAll({ fromPosition: start, maxCount: limit, filter, requiresLeader: true }),
    )
  }

  async #allFrom(start: ReadPosition, limit: number): Promise<readonly Recorded[]> {
    const events = await this.rawFrom(start, limit)
    return events.map((event) => recordedOf(event, this.#parts.names))
  }

  /** The events from one that is exactly there; null when there is none. */
  async #allFromEventAt(position: number, limit: number): Promise<readonly Recorded[] | null> {
    const exact = BigInt(position)
    try {
      const events = await this.#allFrom({ commit: exact, prepare: exact }, limit)
      return events[0]?.meta.position === position ? events : null
    } catch (error) {
      if (isInvalidPosition(error)) return null
      throw error
    }
  }

  /** Behind a position that no event of ours has, which the server does not let us begin at. Slow, and seldom asked for. */
  async #scan(after: number, limit: number): Promise<readonly Recorded[]> {
    if (after >= (await this.headOnce())) return []
    let page = await this.#allFrom(START, eventsAtOnce)
    for (;;) {
      const last = page.at(-1)?.meta.position ?? after
      if (last > after) {
        const found = page.filter(({ meta }) => meta.position > after)
        return found.length >= limit
          ? found.slice(0, limit)
          : [...found, ...(await this.#rest(last, limit - found.length))]
      }
      page = (await this.#allFromEventAt(last, eventsAtOnce + 1)) ?? []
      if (page.length <= 1) return []
    }
  }

  async #rest(last: number, limit: number): Promise<readonly Recorded[]> {
    return ((await this.#allFromEventAt(last, limit + 1)) ?? []).slice(1)
  }

  async #streamPage(name: string, from: number): Promise<readonly Recorded[]> {
    const events = await this.#streamOnce(name, { fromRevision: BigInt(from), maxCount: eventsAtOnce })
    return events.map((event) => recordedOf(event, this.#parts.names))
  }

  async #streamOnce(
    name: string,
    options: { direction?: typeof BACKWARDS; fromRevision?: bigint | typeof END; maxCount?: number },
  ): Promise<readonly ResolvedEvent[]> {
    try {
      return await this.#parts.connection.read((client) =>
        client.readStream(name, { ...options, requiresLeader: true }),
      )
    } catch (error) {
      if (isNotFound(error)) return []
      throw error
    }
  }

  async #patiently<Answer>(doing: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await patientlyWhile(this.#parts, isPassing, work)
    } catch (error) {
      throw asFault(error, doing)
    }
  }
}
