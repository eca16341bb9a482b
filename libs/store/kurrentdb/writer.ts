import type { EventData } from '@kurrent/kurrentdb-client'
import type { Cause, Message, Recorded } from '#contracts/message.ts'
import { Serial } from '../../serial.ts'
import type { Fence } from '../fence.ts'
import { serialise } from '../limits.ts'
import { patientlyWhile, type Patience } from '../patience.ts'
import { StoreFault } from '../store.ts'
import type { Connection, Cut } from './connection.ts'
import { proposalsOf, recordedFrom } from './events.ts'
import { asFault, isConflict, isPassing, leavesOpen, openFault } from './faults.ts'
import type { Names } from './names.ts'
import type { Reader } from './reader.ts'
import type { Recent } from './recent.ts'

const waitingPerStreamMax = 1_000
const broughtMs = 100
/** What KurrentDB takes at most, however it is set. */
const appendBytesMax = 16 * 1_048_576

export interface WriterParts extends Patience {
  readonly connection: Connection
  readonly names: Names
  readonly reader: Reader
  readonly recent: Recent
  /** Hears how far the log goes after every append. */
  readonly committed: (position: number) => void
  /** Waits a while for the subscription to bring what is at a position. */
  readonly brought: (position: number, timeoutMs: number) => Promise<void>
  /** Appends unless a fence was raised. */
  readonly withFences: <Answer>(fences: readonly Fence[], append: () => Promise<Answer>) => Promise<Answer>
}

/** An append that the server has taken: where its last event is, unless an earlier try may have stored it. */
type Delivered = { readonly position: bigint | null } | 'conflict'

/** Appends to the streams, to each of them in the order in which it was asked to. */
export class Writer {
  readonly #parts: WriterParts
  readonly #serial = new Serial(waitingPerStreamMax)
  readonly #running = new Set<Promise<unknown>>()

  constructor(parts: WriterParts) {
    this.#parts = parts
  }

  append(
    fences: readonly Fence[],
    stream: string,
    expectedVersion: number,
    facts: readonly Message[],
    cause: Cause | readonly Cause[],
  ): Promise<readonly Recorded[] | 'conflict'> {
    const texts = serialise(stream, facts)
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    if (bytes > appendBytesMax)
      throw new StoreFault(`${stream}: ${bytes} bytes in one append, and KurrentDB takes ${appendBytesMax} at most.`)
    const events = proposalsOf(facts, texts, cause, this.#parts.clock)
    const store = () => this.#store(stream, expectedVersion, events)
    // The fences are looked at when it is this append's turn, so that those behind it stay behind it.
    return this.#inLine(stream, () => (fences.length === 0 ? store() : this.#parts.withFences(fences, store)))
  }

  /**
   * Appends to a stream by its full name behind a revision, `null` for none yet, again and again while its answer is
   * lost: the ids of the events keep the server from storing them twice. Throws `StoreFault`.
   */
  async deliver(name: string, revision: bigint | null | 'any', events: readonly EventData[]): Promise<Delivered> {
    let mayBeStored = false
    try {
      return await patientlyWhile(this.#parts, isPassing, async () => {
        try {
          const { position } = await this.#parts.connection.append(name, revision ?? 'no_stream', events)
          return { position: mayBeStored ? null : (position?.commit ?? null) }
        } catch (error) {
          if (isConflict(error)) return 'conflict'
          mayBeStored ||= leavesOpen(error)
          throw error
        }
      })
    } catch (error) {
      throw mayBeStored && isPassing(error) ? openFault(error) : asFault(error, `appending to ${name}`)
    }
  }

  /** Stores what is made already, in its stream's turn. */
  store(stream: string, expectedVersion: number, events: readonly EventData[]) {
    return this.#inLine(stream, () => this.#store(stream, expectedVersion, events))
  }

  /** Sets what of a stream, by its full name, is shown. Done twice it is done once. Throws `StoreFault`. */
  async cut(name: string, cut: Cut): Promise<void> {
    try {
      await patientlyWhile(this.#parts, isPassing, () => this.#parts.connection.cut(name, cut))
    } catch (error) {
      throw asFault(error, `cutting ${name}`)
    }
  }

  /** Resolves when nothing is on its way any more. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  async #store(
    stream: string,
    expectedVersion: number,
    events: readonly EventData[],
  ): Promise<readonly Recorded[] | 'conflict'> {
    const { names, committed, reader } = this.#parts
    if (events.length === 0) return (await reader.version(stream)) === expectedVersion ? [] : 'conflict'
    const revision = expectedVersion === 0 ? null : BigInt(expectedVersion - 1)
    const delivered = await this.deliver(names.eventStream(stream), revision, events)
    if (delivered === 'conflict') return delivered
    const [first] = events as readonly [EventData]
    const recorded =
      events.length === 1 && delivered.position !== null
        ? [recordedFrom(first, stream, expectedVersion + 1, delivered.position)]
        : await this.#readBack(stream, expectedVersion, events.length, delivered.position)
    committed(recorded.at(-1)?.meta.position ?? 0)
    return recorded
  }

  /** The server tells only where the last of several events is; the subscription soon tells of all, a read later. */
  async #readBack(
    stream: string,
    expectedVersion: number,
    count: number,
    position: bigint | null,
  ): Promise<readonly Recorded[]> {
    const { reader, recent, brought } = this.#parts
    if (position !== null) await brought(Number(position), broughtMs)
    const near = recent.range(stream, expectedVersion, count)
    if (near !== null) return near
    const { events } = await reader.stream(stream, expectedVersion)
    return events.slice(0, count)
  }

  #inLine<Answer>(stream: string, work: () => Promise<Answer>): Promise<Answer> {
    const running = this.#serial.run(stream, work)
    if (running === null)
      throw new StoreFault(`The event store can not keep up: too much waits for ${stream}. Try again in a moment.`)
    this.#running.add(running)
    const leave = () => void this.#running.delete(running)
    running.then(leave, leave)
    return running
  }
}
