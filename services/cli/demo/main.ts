import { aborted, exitCodes, onStopSignal } from '#libs/lifecycle.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { createClient } from '../client.ts'
import { createTerminal, type Terminal } from '../terminal.ts'
import { playElastic } from './elastic.ts'
import { fleetOf } from './fleet.ts'
import { playImmutable } from './immutable.ts'
import { Narrator } from './narrator.ts'
import { report } from './report.ts'
import { Stage } from './stage.ts'

const defaultPort = 4780
const usage = `remuda demo [--exit] [--port N]

Plays both scenarios with a real server and real agents on this machine, and checks that each promised fact is true.
  --exit     end when it is over; the exit code is 0 only when every fact held
  --port N   the server's port (default: any that is free)
`

/** Plays the demo; gives the exit code. */
async function main(argv: readonly string[], terminal: Terminal, stop: AbortSignal): Promise<number> {
  const at = argv.indexOf('--port')
  const port = at < 0 ? 0 : Number(argv[at + 1] ?? defaultPort)
  const words = argv.filter((_, index) => at < 0 || (index !== at && index !== at + 1))
  if (words.some((word) => word !== '--exit') || !Number.isInteger(port)) {
    terminal.err(usage)
    return words.includes('--help') ? exitCodes.stopped : exitCodes.configuration
  }
  terminal.out('Starting Remuda …\n')
  await using stage = await Stage.build(clock, port)
  const token = await stage.adminToken()
  const fleet = fleetOf(createClient({ server: stage.url, token, clock, signal: stop }))
  terminal.out(`  console  ${stage.url}/#token=${token}\n           open it to watch\n`)

  const narrator = new Narrator(terminal, clock, stop)
  const held = await play(stage, fleet, narrator, terminal, stop)
  if (!words.includes('--exit') && !stop.aborted) {
    terminal.out('\nRemuda goes on running, so that you can look around. Press Ctrl-C to end it.\n')
    await aborted(stop)
  }
  terminal.out('Ending all machines and the server …\n')
  return stop.aborted && words.includes('--exit') ? exitCodes.interrupted : held ? exitCodes.stopped : exitCodes.fault
}

/** Whether every fact held. */
async function play(
  stage: Stage,
  fleet: ReturnType<typeof fleetOf>,
  narrator: Narrator,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<boolean> {
  let finished = false
  try {
    await playElastic(stage, fleet, narrator)
    await playImmutable(stage, fleet, narrator)
    await report(terminal, fleet)
    finished = true
  } catch (error) {
    if (stop.aborted) return false
    terminal.err(`\n${error instanceof Error ? error.message : String(error)}\n`)
  }
  const failed = narrator.facts.filter(({ holds }) => !holds)
  const count = narrator.facts.length
  const verdict =
    finished && failed.length === 0 ? `All ${count} facts held.` : `${failed.length} of ${count} facts did not hold.`
  terminal.out(`\n${terminal.style(finished && failed.length === 0 ? 'green' : 'red', verdict)}\n`)
  return finished && failed.length === 0
}

const stop = new AbortController()
using _ = onStopSignal((signal) => {
  if (stop.signal.aborted) process.exit(exitCodes.interrupted)
  stop.abort(signal)
})
const terminal = createTerminal(process, true)
process.exitCode = await main(process.argv.slice(2), terminal, stop.signal).catch((error: unknown) => {
  terminal.err(`${error instanceof Error ? error.message : String(error)}\n`)
  return exitCodes.fault
})
