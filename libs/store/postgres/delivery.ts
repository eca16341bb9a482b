import type { ClientBase, Pool, PoolClient } from 'pg'
import type { Clock } from '#libs/clock.ts'
import { Fenced, StoreFault } from '../store.ts'
import type { Append } from './append.ts'
import { orderOf, type Batch, type Order } from './batch.ts'
import { asFault, sqlStateOf } from './faults.ts'
import { rowsOf, type Backend, type Row } from './session.ts'

const endedMs = 5_000

export interface DeliveryParts {
  readonly pool: Pool
  readonly clock: Clock
  readonly backendOf: (client: ClientBase) => Backend
  /** Hears how far the log goes after every commit that stored events. */
  readonly committed: (position: number) => void
}

/** A batch on its way to the server, which may lose its answer and be sent again without being stored twice. */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #batch: Batch
  readonly #at: number
  readonly #order: Order
  /** The server's process that may still be at work on what was sent. */
  #lost: Backend | null = null
  /** Whether an answer was lost, so that what was sent may be stored. */
  mayBeStored = false

  constructor(parts: DeliveryParts, batch: Batch) {
    this.#parts = parts
    this.#batch = batch
    this.#at = parts.clock.wallMs()
    this.#order = orderOf(batch, this.#at)
  }

  /** Sends the batch and answers its appends. Throws what was thrown when it could not, and may be called again. */
  async attempt(): Promise<void> {
    const client = await this.#parts.pool.connect()
    try {
      await this.#endLost(client)
      const [[logStart, met, keptOff] = []] = await this.#send(client)
      await this.#settle(client, Number(logStart), partsOf(met), partsOf(keptOff))
      client.release()
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  /** What is to be said to those who appended when no attempt has succeeded. */
  faultOf(error: unknown): StoreFault {
    if (!this.mayBeStored) return asFault(error, 'appending')
    return new StoreFault(
      'The connection to PostgreSQL was lost while appending, so it is not known whether this was stored. ' +
        'Send the same command again: it is answered with what it stored, if it did.',
      { cause: error },
    )
  }

  async #send(client: PoolClient): Promise<readonly Row[]> {
    const { text, values, name } = this.#order
    try {
      return await rowsOf(client, text, values, name)
    } catch (error) {
      if (sqlStateOf(error) === undefined || !(await isAlive(client))) {
        this.mayBeStored = true
        this.#lost = this.#parts.backendOf(client)
      }
      throw error
    }
  }

  /**
   * What was lost on the way may not be stored after it was sent again, or after it was answered as a conflict: so its
   * process is ended first. What it has committed by then is found by `#settle`.
   */
  async #endLost(client: PoolClient): Promise<void> {
    if (this.#lost === null) return
    const { pid, startedAt } = this.#lost
    const ended = await rowsOf(
      client,
      'SELECT pg_terminate_backend(pid, $3) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2',
      [pid, startedAt, endedMs],
    )
    if (ended.some(([gone]) => gone !== 't')) throw new Error('a process of the server did not end')
    this.#lost = null
  }

  async #settle(
    client: PoolClient,
    logStart: number,
    met: readonly string[],
    keptOff: readonly string[],
  ): Promise<void> {
    const { appends } = this.#batch
    const before = this.mayBeStored
      ? await storedBefore(
          client,
          appends.filter((_, index) => met[index] !== 't'),
        )
      : null
    let position = logStart + 1
    for (const [index, append] of appends.entries()) {
      const earlier = before?.get(append)
      const fence = this.#order.fences[Number(keptOff[index]) - 1]
      if (met[index] === 't') {
        append.stored(position, this.#at)
        position += append.facts.length
      } else if (earlier !== undefined) append.stored(earlier, this.#at)
      else if (fence !== undefined) append.fail(new Fenced(fence.name, fence.token))
      else append.conflict()
    }
    if (position > logStart + 1) this.#parts.committed(position - 1)
  }
}

/** The parts of an array as the server writes it. */
const partsOf = (array: string | null | undefined): readonly string[] => (array ?? '{}').slice(1, -1).split(',')

/** Where the appends begin that an earlier try has stored: the event that is in the way is then their own. */
async function storedBefore(client: PoolClient, appends: readonly Append[]): Promise<ReadonlyMap<Append, number>> {
  const found = new Map<Append, number>()
  for (const append of appends) {
    const [[position, id] = []] = await rowsOf(
      client,
      `SELECT position, meta->>'id' FROM events WHERE stream = $1 AND version = $2`,
      [append.stream, append.expectedVersion + 1],
      'stored-before',
    )
    if (id && append.begins(id)) found.set(append, Number(position))
  }
  return found
}

/** Whether the server has refused a statement and not ended the connection over it. */
const isAlive = (client: PoolClient): Promise<boolean> =>
  rowsOf(client, 'SELECT 1').then(
    () => true,
    () => false,
  )
