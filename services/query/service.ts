import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '#libs/clock.ts'
import type { Platform } from '#libs/platform.ts'
import { ensurePrivateFile } from '#libs/privateFile.ts'
import { startProjector, type Projector } from '#libs/projector.ts'
import { Past } from './asOf/past.ts'
import type { AsOfSettings } from './asOf/settings.ts'
import { Reader } from './reader.ts'
import { Tail } from './tail.ts'
import { causes } from './views/causes.ts'
import { deployments } from './views/deployments.ts'
import { enrollments } from './views/enrollments.ts'
import { environments } from './views/environments.ts'
import { machineEvents } from './views/machineEvents.ts'
import { incidents } from './views/incidents.ts'
import { machinesOf, type MachinesView } from './views/machines.ts'
import { observationGaps } from './views/observationGaps.ts'
import { packages } from './views/packages.ts'
import { planChanges } from './views/planChanges.ts'
import { projects, releases } from './views/projects.ts'
import { targets } from './views/targets.ts'
import { taskLogs, tasks } from './views/tasks.ts'
import { templates, templateVersions } from './views/templates.ts'
import { tokens } from './views/tokens.ts'
import { verdicts } from './views/verdicts.ts'
import { webhooks } from './views/webhooks.ts'

export interface QuerySettings {
  /** Where the read model is kept, or `:memory:`. Losing it costs reading the store again. */
  readonly databaseFile: string
  /** What the server says it is. */
  readonly version: string
  /** What looking into the past may cost. */
  readonly asOf?: Partial<AsOfSettings>
}

/** The read model: everything that can be asked, answered from the events. */
export interface Query extends AsyncDisposable {
  readonly reader: Reader
  readonly tail: Tail
  /** The fleet as it was at earlier moments. */
  readonly past: Past
  readonly machines: MachinesView
  readonly clock: Clock
  readonly log: Platform['log']
  readonly version: string
  /** The position that everything that can be asked has reached. */
  readonly position: number
  /** How many machines there are of each kind, and so on: what a view's `tally` counts. */
  tallies: Projector['tallies']
  /** Whether everything has come to a position within `timeoutMs`. */
  reached(position: number, timeoutMs: number): Promise<boolean>
  /** Resolves with the fault after which answers grow old; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Materialises the read model of this process and keeps it up to date. It answers at once, from what it has so far. */
export async function startQuery(platform: Platform, { databaseFile, version, asOf }: QuerySettings): Promise<Query> {
  await using stack = new AsyncDisposableStack()
  if (databaseFile !== ':memory:') {
    mkdirSync(dirname(databaseFile), { recursive: true })
    ensurePrivateFile(databaseFile)
  }
  const database = stack.adopt(new DatabaseSync(databaseFile), (open) => open.close())
  const reader = new Reader(database)
  const machines = machinesOf(reader)
  const views = [
    ...[environments, machines, machineEvents, verdicts, projects, releases, packages],
    ...[templates, templateVersions],
    ...[deployments, targets, planChanges, tasks, taskLogs, enrollments, tokens, incidents, observationGaps, causes],
    webhooks,
  ]
  const projector = stack.use(await startProjector({ ...platform, database, views }))
  const tail = stack.use(await Tail.start(platform))
  const past = stack.use(new Past(platform, asOf))

  const resources = stack.move()
  return {
    ...{ reader, tail, past, machines, version, clock: platform.clock, log: platform.log },
    get position() {
      return projector.position
    },
    tallies: (view) => projector.tallies(view),
    reached: (position, timeoutMs) => projector.reached(position, timeoutMs),
    failure: Promise.race([projector.failure, tail.failure]),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
