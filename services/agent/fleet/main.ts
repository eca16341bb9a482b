import { configHelp } from '#libs/config.ts'
import { exitCodes, runUntilStopped } from '#libs/lifecycle.ts'
import { systemClock } from '#libs/systemClock.ts'
import { terminalLog } from '../terminal.ts'
import { FleetConfig } from './config.ts'
import { fleetProcess } from './process.ts'

/** Longer than thousands of machines may take to say goodbye. */
const graceMs = 40_000

const log = terminalLog(systemClock, 'info', (line) => process.stderr.write(line))
const argv = process.argv.slice(2)
if (argv.includes('--help')) {
  process.stdout.write(configHelp('Starts simulated machines with real agents that talk to a server.', FleetConfig))
  process.exit(exitCodes.stopped)
}
const sources = { env: process.env, argv }
await runUntilStopped((stop) => fleetProcess(sources, log, stop), { clock: systemClock, log, graceMs })
