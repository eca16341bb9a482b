import type { Clock } from '#libs/clock.ts'
import type { Packages, RunOptions, RunOutcome, Runner, StopReason } from '../ports.ts'
import type { Behaviour } from './behaviour.ts'
import { within } from './dice.ts'
import type { Tally } from './tally.ts'

/** What a script prints comes in so many pieces at most, spread over its time. */
const piecesMax = 10

export interface RunnerNeeds {
  readonly clock: Clock
  readonly behaviour: Behaviour
  readonly tally: Tally
  readonly chance: () => number
  /** Aborted when the machine dies. */
  readonly death: AbortSignal
}

/** Runs nothing: takes its time, prints, and ends well or not, as its behaviour and the dice have it. */
export const simulatedRunner = (needs: RunnerNeeds): Runner => ({
  async run({ taskId, timeLimitMs }, options) {
    const { clock, behaviour, tally, chance, death } = needs
    const { scripts } = tally
    const isGood = chance() >= behaviour.failureRate
    const scriptMs = within(chance, behaviour.script)
    scripts.started += 1
    scripts.running += 1
    const end = AbortSignal.any([options.signal, death])
    const isLate = scriptMs > timeLimitMs
    await printAndWait(clock, behaviour, taskId, Math.min(scriptMs, timeLimitMs), end, (text, lines) => {
      tally.logLines += lines
      options.output(text)
    })
    scripts.running -= 1
    const outcome = outcomeOf(options, isLate, isGood)
    scripts[death.aborted ? 'dead' : options.signal.aborted ? 'stopped' : outcome.outcome] += 1
    return outcome
  },
  clearAway: async () => {},
})

/** Nothing is downloaded: what a package costs a server is better measured with one client that reads it. */
export const noPackages: Packages = {
  async prepare({ name, version }, { say }) {
    say(`package ${name} ${version} is taken as installed by a simulated machine\n`)
    return { folder: '/simulated', previous: null, activate: async () => {}, [Symbol.dispose]() {} }
  },
}

async function printAndWait(
  clock: Clock,
  { logLines, logLineChars }: Behaviour,
  taskId: string,
  scriptMs: number,
  end: AbortSignal,
  print: (text: string, lines: number) => void,
): Promise<void> {
  const pieces = Math.min(piecesMax, logLines)
  for (let piece = 1, printed = 0; piece <= pieces && !end.aborted; piece++) {
    const upTo = Math.round((logLines * piece) / pieces)
    const lines = Array.from({ length: upTo - printed }, (_, at) => lineOf(taskId, printed + at + 1, logLineChars))
    print(lines.join(''), upTo - printed)
    printed = upTo
    await clock.sleep(scriptMs / pieces, end)
  }
  if (pieces === 0) await clock.sleep(scriptMs, end)
}

/** Numbered, so that whoever reads the log sees whether one is missing. */
const lineOf = (taskId: string, number: number, chars: number): string =>
  `${`line ${number} of ${taskId} `.padEnd(chars - 1, '.').slice(0, chars - 1)}\n`

function outcomeOf({ signal }: RunOptions, isLate: boolean, isGood: boolean): RunOutcome {
  if (signal.aborted) return failed(signal.reason as StopReason, '')
  if (isLate) return failed('time-limit', 'the simulated script took longer than it may')
  if (isGood) return { outcome: 'succeeded', outputs: {} }
  return { ...failed('exit-code', 'the simulated script failed, as some are to'), exitCode: 1 }
}

const failed = (reason: Extract<RunOutcome, { outcome: 'failed' }>['reason'], detail: string) =>
  ({ outcome: 'failed', reason, exitCode: null, detail }) as const
