import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { categoryOf } from '#contracts/subjects.ts'
import { checkReadModels } from './rules/readModel.ts'
import { explain } from './report.ts'
import { Simulation } from './simulation.ts'
import type { Breach } from './rules/rule.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const prepareMaxMs = 30 * minuteMs
/** Longer than every wait of the policies here, so that who is silent for so long has nothing more to do. */
const quietMs = 25 * minuteMs
const restMaxMs = 12 * hourMs

/** What came of one seed. */
export interface Outcome {
  readonly seed: number
  readonly breach: Breach | null
  /** What a person needs to see of a breach. */
  readonly explanation: string | null
  /** The same whenever the same seed is played. */
  readonly fingerprint: string
  readonly simulatedMs: number
  /** How often each type of event was stored. */
  readonly events: Readonly<Record<string, number>>
  /** How often the server complained of what. */
  readonly complaints: Readonly<Record<string, number>>
}

export type Day = Omit<ConstructorParameters<typeof Simulation>[0], 'folder'>

/** Simulates one day: everything goes wrong that the seed has in store, then all is mended, and then all must be well. */
export async function simulate(day: Day): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-simulation-'))
  try {
    const simulation = new Simulation({ ...day, folder })
    const startMs = simulation.world.steadyMs()
    await liveWatched(simulation)
    return outcomeOf(simulation, simulation.world.steadyMs() - startMs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function outcomeOf(simulation: Simulation, simulatedMs: number): Outcome {
  const { breach, trace, disk, options } = simulation
  const events: Record<string, number> = {}
  for (const { type } of disk.events) events[type] = (events[type] ?? 0) + 1
  const explanation = breach === null ? null : explain(simulation, breach)
  const said = [...simulation.server.log.errors].map(([sentence, { count }]) => [sentence, count] as const)
  const told = { events, complaints: Object.fromEntries(said) }
  return { seed: options.seed, breach, explanation, fingerprint: trace.fingerprint(), simulatedMs, ...told }
}

/** Whatever throws where nobody looks is wrong as well. */
async function liveWatched(simulation: Simulation): Promise<void> {
  const unlooked = (error: unknown) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    simulation.fail({ rule: 'no fault goes unnoticed', ids: [], detail })
  }
  process.on('unhandledRejection', unlooked)
  try {
    await live(simulation)
  } catch (error) {
    unlooked(error)
  } finally {
    process.off('unhandledRejection', unlooked)
  }
}

async function live(simulation: Simulation): Promise<void> {
  const { chaos, operators, yard } = simulation
  const calm = new AbortController()
  const preparing = begin(simulation)
  if (!(await settled(simulation, preparing, prepareMaxMs))) return simulation.fail(stuck('the day does not begin'))
  chaos.run(calm.signal)
  yard.run(calm.signal)
  operators.run(calm.signal)
  await simulation.until(() => false, simulation.calmAfterMs)
  if (simulation.breach) return

  calm.abort()
  simulation.endFaults()
  const healing = heal(simulation)
  if (!(await settled(simulation, healing, restMaxMs))) return simulation.fail(stuck('the server does not come back'))
  await rest(simulation)
}

async function begin({ chaos, operators, joinTokens }: Simulation): Promise<void> {
  await chaos.start(false)
  await operators.prepare(joinTokens)
}

async function heal({ chaos, yard, operators, stage }: Simulation): Promise<void> {
  await chaos.settled()
  yard.heal()
  await chaos.restart(1_000, false)
  await stage.clock.sleep(minuteMs)
  await operators.decideAll()
}

/** Waits until nothing happens any more, looks, and sees whether a server that knows nothing would do anything else. */
async function rest(simulation: Simulation): Promise<void> {
  const { trace, world, chaos } = simulation
  const isQuiet = () => world.steadyMs() - trace.lastMs > quietMs
  if (!(await simulation.until(isQuiet, restMaxMs))) return simulation.fail(stuck('it does not come to rest'))
  if (simulation.checkAtRest()) return
  if (!(await settled(simulation, compareReadModels(simulation), hourMs)))
    return simulation.fail(stuck('the read model cannot be built'))

  const before = simulation.disk.events.length
  if (!(await settled(simulation, chaos.restart(1_000, false), hourMs))) return simulation.fail(stuck('no restart'))
  await simulation.until(() => false, quietMs)
  const [first] = simulation.disk.events.slice(before).filter(({ meta }) => categoryOf(meta.stream) !== 'observer')
  if (!first) return
  const detail = `after a restart there is more to do, beginning with ${first.type}: somebody had lost track`
  simulation.fail({ rule: 'R7', ids: [first.meta.stream], detail })
}

async function compareReadModels(simulation: Simulation): Promise<void> {
  const { server } = simulation
  await using rebuilt = await server.rebuild()
  const breach = checkReadModels(server.query!, rebuilt)
  if (breach) simulation.fail(breach)
}

/** Lets time pass until some work is done; false when it takes longer than `limitMs`. */
async function settled(simulation: Simulation, work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let isDone = false
  work.then(
    () => (isDone = true),
    (error: unknown) => simulation.fail(stuck(String(error))),
  )
  return simulation.until(() => isDone, limitMs)
}

const stuck = (detail: string): Breach => ({ rule: 'R6', ids: [], detail })
