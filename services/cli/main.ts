#!/usr/bin/env node
import { CommanderError } from 'commander'
import { aborted, onStopSignal } from '#libs/lifecycle.ts'
import { systemClock } from '#libs/systemClock.ts'
import type { Io } from './context.ts'
import { isEntry, runEntry } from './dispatch.ts'
import { CliError, exits, Interrupted, usage } from './exit.ts'
import { createProgram } from './program.ts'
import { harmlessLines } from './terminal.ts'

/** Runs one command line to its end and gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const [word, ...rest] = argv
  if (isEntry(word)) return runEntry(word, rest)
  const stop = new AbortController()
  const { stdout, stderr, env } = process
  const io: Io = { stdout, stderr, env, clock: systemClock, signal: stop.signal, exit: exits.ok }
  using _ = onStopSignal((signal) => {
    // The second time it is meant: whatever is still open is left as it is.
    if (stop.signal.aborted) process.exit(exits.interrupted)
    stop.abort(signal)
  })
  try {
    const program = createProgram(io)
    if (word === undefined) program.outputHelp()
    else await Promise.race([program.parseAsync(argv, { from: 'user' }), interrupted(stop.signal)])
    return io.exit
  } catch (error) {
    return tell(error)
  }
}

async function interrupted(signal: AbortSignal): Promise<never> {
  throw new Interrupted(await aborted(signal))
}

/** Says on standard error what went wrong and what to do next; gives the exit code. */
function tell(error: unknown): number {
  if (error instanceof Interrupted) return error.exit
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exits.ok
    // A noun without a verb: its help has been shown.
    if (error.code === 'commander.help') return exits.refused
    return tell(mistyped(error.message))
  }
  const said = error instanceof CliError ? error : fault(error)
  const next = said.next === null ? '' : `next: ${said.next}\n`
  process.stderr.write(harmlessLines(`error ${said.code}: ${said.message}\n${next}`))
  return said.exit
}

function mistyped(message: string): CliError {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n')
  return usage(what, hint?.replace(/^\((.*)\)$/, '$1') ?? 'remuda help, or --help behind any command')
}

/** Not a refusal and not the network: a mistake of ours, of which the stack says where. */
const fault = (error: unknown) => {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new CliError(exits.fault, 'FAULT', what, 'report this: it is a mistake in remuda')
}

// A reader that has seen enough, such as `head`, closes the pipe; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exits.ok)
  throw error
})
process.exitCode = await main(process.argv.slice(2))
// Whoever gave up does not wait for what is still being read.
if (process.exitCode >= exits.interrupted) process.exit()
