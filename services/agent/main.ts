import { configHelp } from '#libs/config.ts'
import { exitCodes, runUntilStopped } from '#libs/lifecycle.ts'
import { systemClock } from '#libs/systemClock.ts'
import { AgentConfig } from './config.ts'
import { agentProcess } from './process.ts'
import { terminalLog } from './terminal.ts'

/** Longer than tasks may take to end and their results to be delivered. */
const graceMs = 40_000

const log = terminalLog(systemClock, 'info', (line) => process.stderr.write(line))
const argv = process.argv.slice(2)
if (argv.includes('--help')) {
  process.stdout.write(configHelp('Starts the agent of this machine.', AgentConfig))
  process.exit(exitCodes.stopped)
}
const sources = { env: process.env, argv }
await runUntilStopped((stop) => agentProcess(sources, stop), { clock: systemClock, log, graceMs })
