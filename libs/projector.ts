import type { DatabaseSync } from 'node:sqlite'
import type { Message } from '#contracts/message.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { Projection } from './projection.ts'
import type { EventStore } from './store/store.ts'
import type { AnyView, View } from './view.ts'
import { transact, ViewGroup } from './viewGroup.ts'
import { ViewTable } from './viewTable.ts'

/** Views that are not further apart than this are filled together, so that the store is read once for all of them. */
const togetherEventsMax = 10_000

export interface ProjectorOptions {
  /** The read model's database. This connection writes it and belongs to the projector alone; others may read. */
  readonly database: DatabaseSync
  readonly views: readonly AnyView[]
  readonly store: EventStore
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** Events folded in one transaction, at most; when few wait, batches are small and the lag is short. */
  readonly batchMax?: number
  readonly idleMs?: number
  /** Rows of each view that stay in memory. */
  readonly rowsCachedMax?: number
  /** How many events may pass by a view before its checkpoint is saved although no row has changed. */
  readonly checkpointEveryEvents?: number
}

type Named = Pick<AnyView, 'name'>

interface Shown {
  readonly projection: Projection
  readonly table: ViewTable
  group?: ViewGroup
}

/**
 * Keeps views in a SQLite database up to date with the store. Rows, tallies and the checkpoint of a view are committed
 * together, so that a crash at any moment loses nothing and counts nothing twice. Each view has its own checkpoint: a
 * new view or version, or one that was filled in another epoch of the store, starts from the first event.
 */
export async function startProjector(options: ProjectorOptions): Promise<Projector> {
  const head = await options.store.head()
  return new Projector(options, head)
}

export class Projector implements AsyncDisposable {
  readonly #options: ProjectorOptions
  readonly #shown = new Map<string, Shown>()
  readonly #failure = Promise.withResolvers<Error>()

  /** @param head the store's last position, for views of a store that has been set back */
  constructor(options: ProjectorOptions, head: number) {
    this.#options = options
    for (const view of options.views) this.#open(view, head)
    const inOrder = [...this.#shown.values()].sort((a, b) => a.projection.position - b.projection.position)
    while (inOrder.length > 0) {
      const limit = inOrder[0]!.projection.position + togetherEventsMax
      const members = inOrder.filter(({ projection }) => projection.position <= limit)
      this.#startGroup(inOrder.splice(0, members.length))
    }
  }

  /** The position that every view has reached. */
  get position(): number {
    return Math.min(...[...this.#shown.values()].map(({ projection }) => projection.position))
  }

  /** Resolves with the fault that stopped a view, or the projector; never, as long as all goes on. */
  get failure(): Promise<Error> {
    return this.#failure.promise
  }

  positionOf(view: Named): number {
    return this.#find(view).projection.position
  }

  /** Whether a view (unless told, all of them) has come to a position within `timeoutMs`. */
  async reached(position: number, timeoutMs: number, view?: Named): Promise<boolean> {
    const asked = view ? [this.#find(view)] : [...this.#shown.values()]
    const answers = asked.map(({ group, projection }) => group!.reached(projection, position, timeoutMs))
    return (await Promise.all(answers)).every(Boolean)
  }

  /** The row of a key, with everything that is committed. */
  get<Row extends object>(view: View<Row, Message>, key: string): Row | undefined {
    return this.#find(view).projection.get(key) as Row | undefined
  }

  /** How many rows of a view are in each heap that its `tally` names. */
  tallies(view: Named): ReadonlyMap<string, number> {
    return this.#find(view).table.tallies()
  }

  /** Empties a view and folds it again from the first event, while the others go on. */
  async rebuild(viewName: string): Promise<void> {
    const shown = this.#find({ name: viewName })
    const left = shown.group!
    left.leave(shown.projection)
    transact(this.#options.database, () => shown.projection.reset())
    this.#startGroup([shown])
    if (left.isEmpty) await left[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const groups = new Set([...this.#shown.values()].map(({ group }) => group!))
    await Promise.all([...groups].map((group) => group[Symbol.asyncDispose]()))
  }

  #find({ name }: Named): Shown {
    const shown = this.#shown.get(name)
    if (!shown) throw new RangeError(`there is no view ${name} here`)
    return shown
  }

  #open(view: AnyView, head: number): void {
    const { database, store, rowsCachedMax = 200_000, checkpointEveryEvents = 1_000 } = this.#options
    const { epoch } = store
    const table = new ViewTable(database, view)
    const projection = new Projection(view, table, { epoch, rowsCachedMax, checkpointEveryEvents })
    // What a store that was set back no longer has, no view may show.
    const isForeign = projection.position > 0 && (table.epoch !== epoch || projection.position > head)
    if (isForeign) transact(database, () => projection.reset())
    this.#shown.set(view.name, { projection, table })
  }

  #startGroup(shown: readonly Shown[]): void {
    const { database, store, bus, clock, log, batchMax = 10_000, idleMs = 1_000 } = this.#options
    const members = shown.map(({ projection }) => projection)
    const group = new ViewGroup(database, members, { name: 'projector', store, bus, clock, log, batchMax, idleMs })
    for (const one of shown) one.group = group
    void group.failure.then(this.#failure.resolve)
  }
}
