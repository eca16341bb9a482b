import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Outcome } from './day.ts'
import { playAll, type Play } from './pool.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const usage = `npm run simulate -- [--seeds N] [--seed S] [--machines M] [--hours H] [--twice] [--defect NAME]

  --seeds N     how many seeds to play (20; 1 when only --seed is given)
  --seed S      the first of them; without it, one that nobody has played yet
  --machines M  simulated machines (20)
  --hours H     hours of virtual time, the last tenth of them without faults (24)
  --twice       plays every seed a second time, and compares what happened
  --workers W   how many are played at once (one for each processor)
  --defect NAME plants a mistake first: see defects.ts`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    machines: { type: 'string', default: '20' },
    hours: { type: 'string', default: '24' },
    workers: { type: 'string', default: String(availableParallelism()) },
    defect: { type: 'string' },
    twice: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const seedsMax = 1_000_000
  const first = values.seed === undefined ? Date.now() % seedsMax : Number(values.seed)
  const count = Number(values.seeds ?? (values.seed === undefined ? 20 : 1))
  const day = { machines: Number(values.machines), hours: Number(values.hours), defect: values.defect }
  const plays = Array.from({ length: count }, (_, index): Play => ({ seed: first + index, ...day }))
  const begunMs = performance.now()

  const outcomes: Outcome[] = []
  await playAll(plays, Number(values.workers), (outcome) => {
    outcomes.push(outcome)
    console.log(outcome.explanation ?? line(outcome))
  })
  const wrong = values.twice ? await playAgain(plays, outcomes) : []
  tellAll(outcomes, performance.now() - begunMs)
  const failed = outcomes.filter(({ breach }) => breach !== null).map(({ seed }) => seed)
  if (failed.length > 0) console.log(`seeds that failed: ${failed.join(', ')}`)
  if (wrong.length > 0) console.log(`seeds that went another way the second time: ${wrong.join(', ')}`)
  return failed.length + wrong.length > 0 ? 1 : 0
}

async function playAgain(plays: readonly Play[], before: readonly Outcome[]): Promise<readonly number[]> {
  const wrong: number[] = []
  await playAll(plays, Number(values.workers), ({ seed, fingerprint }) => {
    if (before.find((outcome) => outcome.seed === seed)?.fingerprint !== fingerprint) wrong.push(seed)
  })
  return wrong
}

const total = ({ events }: Outcome) => Object.values(events).reduce((sum, count) => sum + count, 0)

const line = (outcome: Outcome): string =>
  `seed ${outcome.seed}: all rules held, ${total(outcome)} events, ${outcome.fingerprint}`

/** The sums of what was counted in each day, most frequent first. */
function tally(counts: readonly Readonly<Record<string, number>>[]): string {
  const sums = new Map<string, number>()
  for (const [name, count] of counts.flatMap(Object.entries<number>)) sums.set(name, (sums.get(name) ?? 0) + count)
  const inOrder = [...sums].sort(([, a], [, b]) => b - a)
  return inOrder.map(([name, count]) => `${name} ${count}`).join(', ')
}

/** How fast it went, and what happened how often: what never happens is not tested. */
function tellAll(outcomes: readonly Outcome[], ms: number): void {
  console.log(`\nstored: ${tally(outcomes.map(({ events }) => events))}`)
  console.log(`the server complained: ${tally(outcomes.map(({ complaints }) => complaints)) || 'of nothing'}\n`)
  const hours = outcomes.reduce((sum, { simulatedMs }) => sum + simulatedMs, 0) / hourMs
  const seeds = (outcomes.length * minuteMs) / ms
  console.log(`${outcomes.length} seeds, ${hours.toFixed(0)} simulated hours in ${(ms / 1_000).toFixed(0)} s`)
  console.log(`${seeds.toFixed(1)} seeds a minute, ${((hours * minuteMs) / ms).toFixed(0)} simulated hours a minute`)
}

if (values.help) console.log(usage)
else process.exitCode = await main()
