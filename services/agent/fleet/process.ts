import type { ConfigSources } from '#libs/config.ts'
import type { Log } from '#libs/log.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { httpEnroller } from '../enrollHttp.ts'
import { socketTransport } from '../socket.ts'
import type { Behaviour } from './behaviour.ts'
import { readFleetConfig, type FleetConfig } from './config.ts'
import { FleetFault } from './fault.ts'
import { runFleet } from './fleet.ts'
import { joinTokenFor } from './joinToken.ts'
import { lineOf, sentencesOf, summaryOf } from './summary.ts'
import { Tally } from './tally.ts'

const redrawMs = 500
const tellMs = 10_000
const seedMax = 2 ** 31
const seedDigits = 36
/** Files that a process needs beside one socket for each machine: those that enrol, and its own. */
const filesBeside = 512

/**
 * A fleet of simulated machines in this process, until its time is over or it is asked to stop.
 * @throws ConfigMistakes, or a FleetFault with advice for people
 */
export async function fleetProcess(sources: ConfigSources, log: Log, stop: AbortSignal): Promise<void> {
  const config = readFleetConfig(sources)
  const { server, count, seed = Math.floor(clock.chance() * seedMax) } = config
  const name = config.name ?? `sim-${seed.toString(seedDigits)}`
  mindFileLimit(count)
  const joinToken = await joinTokenFor(config, clock)
  const tally = new Tally()
  const ports = { clock, tally, transport: socketTransport(server), enroller: httpEnroller(server, clock) }
  const options = {
    ...{ count, seed, name, joinToken, roles: config.role, attributes: config.attribute, joinRate: config.joinRate },
    ...{ behaviour: behaviourOf(config), durationMs: config.duration ?? null },
  }
  const startedMs = clock.steadyMs()
  {
    using _ = show(count, tally, log)
    await runFleet(options, ports, stop)
  }
  const summary = summaryOf({ server, seed, name, count, elapsedMs: clock.steadyMs() - startedMs }, tally)
  process.stdout.write(config.output === 'json' ? `${JSON.stringify(summary)}\n` : sentencesOf(summary))
}

const behaviourOf = (config: FleetConfig): Behaviour => {
  const { scriptTime: script, failureRate, deathRate, returnRate, returnAfter, logLines, logLineChars } = config
  return { script, failureRate, deathRate, returnRate, returnAfter, logLines, logLineChars }
}

/** On a terminal one line that is written over and over; in a log now and then a new one. */
function show(count: number, tally: Tally, log: Log): Disposable {
  const { stderr } = process
  const isLive = stderr.isTTY === true
  const look = () => {
    timer = clock.timer(isLive ? redrawMs : tellMs, look)
    const line = lineOf(count, tally)
    if (isLive) stderr.write(`\r\u001B[K${line.slice(0, stderr.columns - 1)}`)
    else log.info(line)
  }
  let timer = clock.timer(isLive ? redrawMs : tellMs, look)
  return {
    [Symbol.dispose]() {
      timer.cancel()
      if (isLive) stderr.write('\r\u001B[K')
    },
  }
}

/** Says it at once, since half of a fleet that cannot connect looks like a fault of the server. */
function mindFileLimit(count: number): void {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const filesMax = Number(userLimits?.open_files?.soft)
  if (Number.isNaN(filesMax) || filesMax >= count + filesBeside) return
  const advice = `Raise it (ulimit -n ${count + filesBeside}), or give a smaller --count.`
  throw new FleetFault(
    'FILES_TOO_FEW',
    `This process may open ${filesMax} files, too few for ${count} machines. ${advice}`,
  )
}
