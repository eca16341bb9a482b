import { DatabaseSync } from 'node:sqlite'
import type { Recorded } from '#contracts/message.ts'
import type { Clock } from '#libs/clock.ts'
import { Refused } from '#libs/problem.ts'
import { Projection } from '#libs/projection.ts'
import type { EventStore } from '#libs/store/store.ts'
import { transact } from '#libs/viewGroup.ts'
import { ViewTable } from '#libs/viewTable.ts'
import { Reader } from '../reader.ts'
import { environments } from '../views/environments.ts'
import { machinesOf, type MachinesView } from '../views/machines.ts'
import { observationGaps } from '../views/observationGaps.ts'
import type { AsOfSettings } from './settings.ts'

/** Rows that stay in memory beside the database while it is filled. */
const rowsCachedMax = 20_000

export interface BuildNeeds {
  readonly store: EventStore
  readonly clock: Clock
  readonly settings: AsOfSettings
}

/** The fleet as it was behind one position of the log. It never changes any more. */
export class Model {
  readonly #database = new DatabaseSync(':memory:')
  readonly #tables = new Map<string, ViewTable>()
  readonly #projections: readonly Projection[]
  readonly reader = new Reader(this.#database)
  readonly machines: MachinesView = machinesOf(this.reader)
  readonly position: number
  /** When the last event before it was recorded. */
  #atMs = 0

  private constructor(position: number, epoch: number) {
    this.position = position
    this.#projections = [environments, this.machines, observationGaps].map((view) => {
      const table = new ViewTable(this.#database, view)
      this.#tables.set(view.name, table)
      return new Projection(view, table, { epoch, rowsCachedMax, checkpointEveryEvents: Number.POSITIVE_INFINITY })
    })
  }

  /**
   * Folds what the store has up to a position, in stretches between which others have their turn.
   * @throws Refused ASOF_TOO_FAR when that takes more than the settings allow
   */
  static async build(position: number, { store, clock, settings }: BuildNeeds, ended: AbortSignal): Promise<Model> {
    const model = new Model(position, store.epoch)
    const deadlineMs = clock.steadyMs() + settings.buildMs
    let after = 0
    let folded = 0
    try {
      while (after < position) {
        const read = await store.readAll(after, settings.stretchEvents)
        const events = read.filter(({ meta }) => meta.position <= position)
        const last = events.at(-1)
        if (last === undefined) break
        model.#fold(events)
        after = last.meta.position
        folded += events.length
        const isLast = events.length < read.length || after === position
        refuseBeyond(settings, folded, isLast, model.bytes, deadlineMs - clock.steadyMs())
        await clock.sleep(0, ended)
        if (ended.aborted) throw new Refused('SERVICE_UNAVAILABLE', 'The server is stopping.')
      }
    } catch (error) {
      model.close()
      throw error
    }
    return model
  }

  get atMs(): number {
    return this.#atMs
  }

  get bytes(): number {
    const [size] = this.reader.rows('SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()')
    return Number(size?.[0])
  }

  tallies = (view: { readonly name: string }): ReadonlyMap<string, number> =>
    this.#tables.get(view.name)?.tallies() ?? new Map()

  close(): void {
    this.#database.close()
  }

  #fold(events: readonly Recorded[]): void {
    for (const projection of this.#projections) projection.fold(events)
    transact(this.#database, () => {
      for (const projection of this.#projections) projection.write()
    })
    for (const projection of this.#projections) projection.committed()
    this.#atMs = events.at(-1)!.meta.at
  }
}

function refuseBeyond(
  { eventsMax, bytesMax, buildMs }: AsOfSettings,
  events: number,
  isLast: boolean,
  bytes: number,
  leftMs: number,
): void {
  const why =
    events > eventsMax || (events === eventsMax && !isLast)
      ? `more than ${eventsMax} events lie before it`
      : bytes > bytesMax
        ? `it takes more than ${bytesMax} bytes of memory`
        : leftMs <= 0 && !isLast
          ? `it takes longer than ${buildMs} ms`
          : null
  if (why !== null) throw new Refused('ASOF_TOO_FAR', `${why}. Ask for an earlier moment, or read GET /v1/events.`)
}
