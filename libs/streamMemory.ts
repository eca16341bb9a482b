import type { z } from 'zod'
import type { Message, Meta, Recorded } from '#contracts/message.ts'
import type { Decider } from './decider.ts'
import { RowCache } from './rowCache.ts'
import type { EventStore } from './store/store.ts'

export interface SnapshotPolicy {
  /** Names the shape of the state; under a new name, older snapshots count as absent. */
  readonly schema: string
  readonly everyEvents: number
}

/** What is known of one stream: its folded state, and which recent commands led to it. */
export interface Held<State> {
  readonly stream: string
  state: State
  version: number
  position: number
  snapshotVersion: number
  /** Command id to the version of the first event it stored, oldest first. */
  readonly commandIds: Map<string, number>
}

/** What a snapshot keeps beside the state, so that a repeated command is recognised behind it as well. */
interface Saved<State> {
  readonly state: State
  readonly position: number
  readonly commandIds: readonly (readonly [id: string, version: number])[]
}

/** What handling commands needs of a store. */
export type HandlerStore = Pick<EventStore, 'append' | 'read' | 'saveSnapshot' | 'loadSnapshot'>

export interface StreamMemoryOptions<State, Event extends Message> {
  readonly store: HandlerStore
  readonly decider: Pick<Decider<State, never, Event>, 'initial' | 'evolve'>
  readonly schema: z.ZodType<Event>
  readonly snapshot?: SnapshotPolicy
  readonly cacheStreamsMax?: number
  readonly commandIdsMax?: number
}

/** The folded streams that a handler keeps at hand; those that were not used lately make room for others. */
export class StreamMemory<State, Event extends Message> {
  readonly #options: StreamMemoryOptions<State, Event>
  readonly #commandIdsMax: number
  readonly #cache: RowCache<Held<State>>

  constructor(options: StreamMemoryOptions<State, Event>) {
    const { cacheStreamsMax = 10_000, commandIdsMax = 1_000 } = options
    this.#options = options
    this.#cache = new RowCache(cacheStreamsMax)
    this.#commandIdsMax = commandIdsMax
  }

  /** The stream as last known, and whether it has only just been read. */
  async recall(stream: string): Promise<{ held: Held<State>; fresh: boolean }> {
    const known = this.#cache.get(stream)
    if (known !== undefined) return { held: known, fresh: false }
    const held = await this.#open(stream)
    this.#cache.set(stream, held)
    return { held, fresh: true }
  }

  /** Folds what was stored since; true when there was anything. */
  async catchUp(held: Held<State>): Promise<boolean> {
    const { events } = await this.#options.store.read(held.stream, held.version)
    for (const event of events) this.#fold(held, this.#read(event))
    return events.length > 0
  }

  /**
   * Takes in what this process has just stored, and keeps a snapshot when one is due.
   * @param decided the state with these facts, as it was folded when they were decided
   */
  advance(held: Held<State>, facts: readonly Recorded<Event>[], decided: State): void {
    for (const fact of facts) this.#note(held, fact.meta)
    held.state = decided
    const { snapshot } = this.#options
    if (!snapshot || held.version - held.snapshotVersion < snapshot.everyEvents) return

    const { stream, version, state, position, commandIds } = held
    const saved: Saved<State> = { state, position, commandIds: [...commandIds] }
    held.snapshotVersion = version
    // Nobody waits for it: a snapshot only spares reading, and a store that is broken says so at the next append.
    this.#options.store.saveSnapshot(stream, { schema: snapshot.schema, version, state: saved }).catch(() => {})
  }

  /** The facts that a command stored, the first of them at `firstVersion`. */
  async factsOf(held: Held<State>, firstVersion: number, commandId: string): Promise<readonly Recorded<Event>[]> {
    const { events } = await this.#options.store.read(held.stream, firstVersion - 1)
    return events.filter(({ meta }) => meta.commandId === commandId).map((event) => this.#read(event))
  }

  async #open(stream: string): Promise<Held<State>> {
    const { store, decider, snapshot } = this.#options
    const found = snapshot ? await store.loadSnapshot(stream, snapshot.schema) : null
    const saved = found?.state as Saved<State> | undefined
    const held: Held<State> = {
      stream,
      state: saved ? saved.state : decider.initial,
      version: found?.version ?? 0,
      position: saved?.position ?? 0,
      snapshotVersion: found?.version ?? 0,
      commandIds: new Map(saved?.commandIds),
    }
    await this.catchUp(held)
    return held
  }

  #read(event: Recorded): Recorded<Event> {
    const parsed = this.#options.schema.safeParse(event)
    if (parsed.success) return { ...parsed.data, meta: event.meta }
    const { stream, version } = event.meta
    throw new Error(`${stream}: cannot read ${event.type} (version ${version}): ${parsed.error.message}`)
  }

  #fold(held: Held<State>, event: Recorded<Event>): void {
    const state = this.#options.decider.evolve(held.state, event)
    if (state === undefined)
      throw new Error(`${held.stream}: the decider cannot fold ${event.type} (version ${event.meta.version})`)
    held.state = state
    this.#note(held, event.meta)
  }

  #note(held: Held<State>, { version, position, commandId }: Meta): void {
    held.version = version
    held.position = position
    if (held.commandIds.has(commandId)) return
    held.commandIds.set(commandId, version)
    if (held.commandIds.size > this.#commandIdsMax) held.commandIds.delete(held.commandIds.keys().next().value!)
  }
}
