import { aborted, exitCodes, onStopSignal } from '#libs/lifecycle.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { createClient } from '../client.ts'
import { createTerminal, type Terminal } from '../terminal.ts'
import { Cluster } from './cluster/cluster.ts'
import { NotInstalled } from './cluster/installed.ts'
import { playOutages } from './cluster/outages.ts'
import { showWhereabouts } from './cluster/whereabouts.ts'
import { startSingle } from './controlPlane.ts'
import { playElastic } from './elastic.ts'
import { fleetOf, type Fleet } from './fleet.ts'
import { playImmutable } from './immutable.ts'
import { Narrator } from './narrator.ts'
import { report } from './report.ts'
import { Stage } from './stage.ts'
import { readWords, usage, type Wanted } from './words.ts'

type Chapter = (fleet: Fleet, narrator: Narrator) => Promise<void>

/** Plays the demo; gives the exit code. */
async function main(argv: readonly string[], terminal: Terminal, stop: AbortSignal): Promise<number> {
  const wanted = readWords(argv)
  if (wanted === null) {
    terminal.err(usage)
    return argv.includes('--help') ? exitCodes.stopped : exitCodes.configuration
  }
  return wanted.isDistributed ? playDistributed(wanted, terminal, stop) : playSingle(wanted, terminal, stop)
}

async function playSingle(wanted: Wanted, terminal: Terminal, stop: AbortSignal): Promise<number> {
  terminal.out('Starting Remuda …\n')
  await using stage = await Stage.build(clock, (folder) => startSingle(clock, folder, wanted.port, stop))
  return await play(stage, [], wanted, terminal, stop)
}

async function playDistributed(wanted: Wanted, terminal: Terminal, stop: AbortSignal): Promise<number> {
  terminal.out('Starting PostgreSQL, nats-server and two processes of each service …\n')
  const { port } = wanted
  await using stage = await Stage.build(clock, (folder) =>
    Cluster.start(clock, { folder, port, hasWorker: true, stop }),
  )
  showWhereabouts(terminal, stage.plane)
  return await play(stage, [(fleet, narrator) => playOutages(stage, fleet, narrator)], wanted, terminal, stop)
}

async function play(
  stage: Stage,
  more: readonly Chapter[],
  { endsByItself }: Wanted,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<number> {
  const { url, adminToken: token } = stage.plane
  const fleet = fleetOf(createClient({ server: url, token, clock, signal: stop }))
  terminal.out(`\n  console  ${url}/#token=${token}\n           open it to watch\n`)
  const narrator = new Narrator(terminal, clock, stop)
  const chapters: readonly Chapter[] = [
    (...all) => playElastic(stage, ...all),
    (...all) => playImmutable(stage, ...all),
    ...more,
  ]
  const held = await playAll(chapters, fleet, narrator, terminal, stop)
  if (!endsByItself && !stop.aborted) {
    terminal.out('\nRemuda goes on running, so that you can look around. Press Ctrl-C to end it.\n')
    await aborted(stop)
  }
  terminal.out('Ending all machines and servers …\n')
  return stop.aborted && endsByItself ? exitCodes.interrupted : held ? exitCodes.stopped : exitCodes.fault
}

/** Whether every fact held. */
async function playAll(
  chapters: readonly Chapter[],
  fleet: Fleet,
  narrator: Narrator,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<boolean> {
  let finished = false
  try {
    for (const chapter of chapters) await chapter(fleet, narrator)
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
// A terminal that is closed says so once, and takes no more words; what runs has to be ended all the same.
process.once('SIGHUP', () => stop.abort('SIGHUP'))
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stop.abort('SIGHUP'))

const terminal = createTerminal(process, true)
process.exitCode = await main(process.argv.slice(2), terminal, stop.signal).catch((error: unknown) => {
  if (stop.signal.aborted) return exitCodes.interrupted
  terminal.err(`${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof NotInstalled ? exitCodes.configuration : exitCodes.fault
})
