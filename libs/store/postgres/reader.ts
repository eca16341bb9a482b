import type { Pool } from 'pg'
import type { Recorded } from '#contracts/message.ts'
import type { StreamSlice } from '../store.ts'
import { asFault } from './faults.ts'
import { patiently, type Patience } from './patience.ts'
import { eventColumns, eventOf } from './rows.ts'
import { rowsOf, type Row } from './session.ts'

export interface Ask {
  readonly text: string
  readonly values: readonly unknown[]
  /** Makes the server keep the parsed statement. */
  readonly name: string
  /** For people, when it fails. */
  readonly doing: string
}

const streamAfter = `SELECT ${eventColumns} FROM events e WHERE e.stream = $1 AND e.version >= $2 ORDER BY e.version`
const pageAfter = `SELECT ${eventColumns} FROM events e WHERE e.position > $1 ORDER BY e.position LIMIT $2`
const headOf = 'SELECT position FROM log_end'
const timeNow = 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)'
const versionOf = 'SELECT coalesce(max(version), 0) FROM events WHERE stream = $1'

/** Asks over any of the connections. Only for what may be done twice: an answer that is lost is asked for again. */
export class Reader {
  readonly #pool: Pool
  readonly #patience: Patience

  constructor(pool: Pool, patience: Patience) {
    this.#pool = pool
    this.#patience = patience
  }

  async ask(asked: Ask): Promise<readonly Row[]> {
    try {
      return await patiently(this.#patience, () => this.#askOnce(asked))
    } catch (error) {
      throw asFault(error, asked.doing)
    }
  }

  async stream(stream: string, afterVersion: number): Promise<StreamSlice> {
    const doing = `reading ${stream}`
    // The event at `afterVersion` comes along to tell that the stream goes that far, which saves asking for its version.
    const rows = await this.ask({ text: streamAfter, values: [stream, afterVersion], name: 'stream', doing })
    const events = rows.map(eventOf)
    const last = events.at(-1)
    if (last !== undefined)
      return { version: last.meta.version, events: events.filter(({ meta }) => meta.version > afterVersion) }
    if (afterVersion === 0) return { version: 0, events }
    const [[version] = []] = await this.ask({ text: versionOf, values: [stream], name: 'version', doing })
    return { version: Number(version), events }
  }

  async page(after: number, limit: number): Promise<readonly Recorded[]> {
    return (await this.ask(pageAsk(after, limit))).map(eventOf)
  }

  /** A page, with nothing tried again. Throws what was thrown. */
  async pageOnce(after: number, limit: number): Promise<readonly Recorded[]> {
    return (await this.#askOnce(pageAsk(after, limit))).map(eventOf)
  }

  async head(): Promise<number> {
    const [[position] = []] = await this.ask({ text: headOf, values: [], name: 'head', doing: 'reading' })
    return Number(position)
  }

  /** The server's clock. */
  async timeMs(): Promise<number> {
    const [[nowMs] = []] = await this.ask({ text: timeNow, values: [], name: 'time', doing: 'asking for the time' })
    return Number(nowMs)
  }

  /** The last position, with nothing tried again. Throws what was thrown. */
  async headOnce(): Promise<number> {
    const [[position] = []] = await this.#askOnce({ text: headOf, values: [], name: 'head', doing: 'reading' })
    return Number(position)
  }

  #askOnce({ text, values, name }: Ask): Promise<readonly Row[]> {
    return rowsOf(this.#pool, text, values, name)
  }
}

const pageAsk = (after: number, limit: number): Ask => ({
  text: pageAfter,
  values: [after, limit],
  name: 'page',
  doing: `reading after position ${after}`,
})
