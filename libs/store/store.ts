import type { Cause, Message, Recorded } from '#contracts/message.ts'

/**
 * The only source of truth. What `append` has acknowledged is on disk. A lost race is an answer (`'conflict'`); a
 * store that cannot be reached or written is a `StoreFault`.
 */
export interface EventStore extends AsyncDisposable {
  /**
   * Appends facts behind `expectedVersion` (0: the stream must not exist yet) and answers them as recorded, once they
   * are durable. All facts of one call are stored or none; they get consecutive versions, in order. The cause is that
   * of all facts, or a list with one for each of them: so commands that wait for the same stream can be stored together.
   */
  append(
    stream: string,
    expectedVersion: number,
    facts: readonly Message[],
    cause: Cause | readonly Cause[],
  ): Promise<readonly Recorded[] | 'conflict'>
  /** The events of one stream after `afterVersion` (default 0: all), oldest first, and the stream's version. */
  read(stream: string, afterVersion?: number): Promise<StreamSlice>
  /** Up to `limit` (1 to 10,000) events of all streams with a position greater than `after`, in order. */
  readAll(after: number, limit: number): Promise<readonly Recorded[]>
  /** The last position that readers may see; 0 when the store is empty. */
  head(): Promise<number>
  /**
   * Pages of events after a position, for ever: what is stored first, then what arrives, at once. A page is never
   * empty, and nothing is left out from page to page. Ends when the signal aborts.
   */
  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Recorded[]>

  /**
   * Takes over events of another store (1 to 1,000), in order and behind what is here: with their ids, versions, times
   * and causes. Positions are given anew, so they stay the same only when neither store has gaps. All are stored or
   * none. Answers the last position once they are durable; `'conflict'` when one of them does not continue its stream.
   */
  adopt(events: readonly Recorded[]): Promise<number | 'conflict'>

  /** A folded state of a long stream, so that it need not be replayed whole. `schema` names the shape of `state`. */
  saveSnapshot(stream: string, snapshot: Snapshot): Promise<void>
  loadSnapshot(stream: string, schema: string): Promise<Snapshot | null>

  /** How far a reactor got. Kept beside the events; losing one costs re-reading, never correctness. */
  saveCheckpoint(name: string, position: number): Promise<void>
  loadCheckpoint(name: string): Promise<number>
  listCheckpoints(): Promise<readonly Checkpoint[]>

  /**
   * Fences keep out a process that held a duty by a lease, lost it and did not notice. Whoever takes the duty raises its
   * fence and appends through the view that the number opens: from the moment the next one raises it, every append
   * through that view throws `Fenced`. What a view has appended was committed before the fence was raised.
   */
  raiseFence(name: string): Promise<number>
  /** How often a fence was raised. */
  fence(name: string): Promise<number>
  /** A view of this store for who holds the fence by this token. Closing the view does not close the store. */
  fenced(name: string, token: number): EventStore

  /** Events that a reactor could not handle, where an operator sees them and may have them tried again. */
  park(parked: Parked): Promise<void>
  unpark(reactor: string, position: number): Promise<void>
  listParked(): Promise<readonly Parked[]>

  /**
   * What the clock says that all processes on this store have in common, in milliseconds since 1970; absent where one
   * process has the store for itself.
   */
  timeMs?(): Promise<number>

  /** Grows with every restore from a backup; fences leases, work orders and agents of the time before. */
  readonly epoch: number
  /** Makes this the successor of a store of that epoch: when it is opened next, it is in an epoch above both. */
  succeed(epoch: number): Promise<void>
  /** Copies the store, consistent and while it is being written, to a new file or folder. */
  backup(target: string): Promise<void>
  /** Reads everything once: versions gap-free, positions increasing, every event readable, chain intact. */
  verify(): Promise<Verification>
}

export interface StreamSlice {
  readonly version: number
  readonly events: readonly Recorded[]
}

export interface Snapshot {
  readonly schema: string
  readonly version: number
  readonly state: unknown
}

export interface Checkpoint {
  readonly name: string
  readonly position: number
}

export interface Parked {
  readonly reactor: string
  readonly position: number
  readonly stream: string
  readonly type: string
  readonly reason: string
  readonly attempts: number
  readonly parkedAt: number
}

export interface Verification {
  readonly events: number
  readonly streams: number
  readonly problems: readonly string[]
}

/** The store cannot be reached, is locked by another process, is full or damaged. Carries a next step for people. */
export class StoreFault extends Error {
  override readonly name: string = 'StoreFault'
}

/** Somebody else has taken over the duty that this was appended for. Nothing of it was stored. */
export class Fenced extends StoreFault {
  override readonly name = 'Fenced'

  constructor(fence: string, token: number) {
    super(
      `Nothing was stored: another process has taken over ${fence} since this one got it (with token ${token}). ` +
        'Stop the work that was begun for it, and take it over again before going on.',
    )
  }
}
