import { runUntilStopped } from '#libs/lifecycle.ts'
import { systemClock } from '#libs/systemClock.ts'
import { agentProcess } from './process.ts'
import { terminalLog } from './terminal.ts'

/** Longer than tasks may take to end and their results to be delivered. */
const graceMs = 40_000

const log = terminalLog(systemClock, 'info', (line) => process.stderr.write(line))
const sources = { env: process.env, argv: process.argv.slice(2) }
await runUntilStopped((stop) => agentProcess(sources, stop), { clock: systemClock, log, graceMs })
