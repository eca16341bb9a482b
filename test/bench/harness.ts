import { parseArgs } from 'node:util'

/**
 * Candidates are measured in turns within one process, several rounds of each, and compared by the median of the ratios
 * of each round: so whatever else the machine does meets all of them alike. Absolute figures are notes.
 *
 *     await compare({
 *       title: 'P1 durable append',
 *       unit: 'events/s',
 *       candidates: { store: () => eventsPerSecond(...), raw: () => eventsPerSecond(...) },
 *       targets: [{ of: 'store', against: 'raw', atLeast: 0.8 }],
 *     })
 */
export interface Comparison<Name extends string> {
  readonly title: string
  readonly unit: string
  /** Measures once and answers a figure in `unit`. */
  readonly candidates: Readonly<Record<Name, () => number | Promise<number>>>
  readonly targets: readonly Target<NoInfer<Name>>[]
  readonly rounds?: number
}

/** A bound for one figure, or with `against` for its ratio to another of the same round. */
export interface Target<Name extends string> {
  readonly of: Name
  readonly against?: Name
  readonly atLeast?: number
  readonly atMost?: number
}

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false } }, strict: false })

/** With `--quick` a benchmark only shows that it runs: little data, few rounds, no verdict worth anything. */
export const quick = flags['quick'] === true
export const scaled = (full: number, small: number): number => (quick ? small : full)

/** Runs every candidate `rounds` times in turns (after one round that is not counted), and prints a table. */
export async function compare<Name extends string>(comparison: Comparison<Name>): Promise<readonly Verdict[]> {
  const { title, unit, candidates, targets, rounds = scaled(5, 2) } = comparison
  const names = Object.keys(candidates) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    // Every other round goes backwards, so that nobody is always the one after the dirtiest neighbour.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      globalThis.gc?.()
      const figure = await candidates[name]()
      if (round > 0) figures[name].push(figure)
    }
  }
  const verdicts = targets.map((target) => judge(target, figures))
  print(title, unit, figures, verdicts)
  return verdicts
}

export interface Verdict {
  readonly what: string
  readonly bound: string
  readonly measured: number
  readonly met: boolean
}

function judge<Name extends string>(target: Target<Name>, figures: Record<Name, number[]>): Verdict {
  const { of, against, atLeast = -Infinity, atMost = Infinity } = target
  const measured = median(
    figures[of].map((figure, round) => (against ? figure / (figures[against][round] ?? NaN) : figure)),
  )
  const bounds = [atLeast > -Infinity ? `>= ${atLeast}` : '', atMost < Infinity ? `<= ${atMost}` : '']
  return {
    what: against ? `${of} : ${against}` : of,
    bound: bounds.filter(Boolean).join(', '),
    measured,
    met: measured >= atLeast && measured <= atMost,
  }
}

function print(
  title: string,
  unit: string,
  figures: Readonly<Record<string, number[]>>,
  verdicts: readonly Verdict[],
): void {
  const rows = Object.entries(figures).map(([name, all]) => [
    name,
    figure(median(all)),
    `${figure(Math.min(...all))} - ${figure(Math.max(...all))}`,
  ])
  console.log(`\n${title}${quick ? ' (quick: figures mean nothing)' : ''}`)
  table([['', unit, 'range'], ...rows])
  if (verdicts.length === 0) return
  const outcome = ({ met }: Verdict) => (quick ? '' : met ? 'met' : 'MISSED')
  table([
    ['target', 'bound', 'measured', ''],
    ...verdicts.map((it) => [it.what, it.bound, ratio(it.measured), outcome(it)]),
  ])
}

function table(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of rows)
    console.log(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ')}`,
    )
}

const figure = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 })
const ratio = (value: number) => value.toFixed(value < 10 ? 2 : 1)

/** How many of `count` things a second `work` does. */
export async function perSecond(count: number, work: () => unknown): Promise<number> {
  const startedMs = performance.now()
  await work()
  return (count / (performance.now() - startedMs)) * 1_000
}

export const median = (values: readonly number[]): number => percentile(values, 50)

/** The value that `percent` of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (percent / 100) * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN]
  return low + (high - low) * (at - Math.floor(at))
}
