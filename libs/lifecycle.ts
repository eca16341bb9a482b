import type { Clock } from './clock.ts'
import { ConfigMistakes } from './config.ts'
import type { Log } from './log.ts'

/** What the number of a finished process means; scripts and service managers may rely on it. */
export const exitCodes = { stopped: 0, fault: 1, interrupted: 130, configuration: 78 } as const

const stopSignals = ['SIGINT', 'SIGTERM'] as const
type StopSignal = (typeof stopSignals)[number]

/** Something around the process that a person can put right: its message says how, and no stack is shown. */
export class OperatorFault extends Error {
  override readonly name: string = 'OperatorFault'
}

/** The part of `process` that is needed here, so that a test can send signals to itself. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

/** Calls back for every SIGINT and SIGTERM until it is stopped. While it listens, Node does not exit by itself. */
export function onStopSignal(run: (signal: StopSignal) => void, source: SignalSource = process): Disposable {
  const listeners = stopSignals.map((signal) => [signal, () => run(signal)] as const)
  for (const [signal, listener] of listeners) source.on(signal, listener)
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}

/** Resolves with the name of the first signal that asks this process to stop. */
export function stopSignal(source: SignalSource = process): Promise<StopSignal> {
  return new Promise((resolve) => {
    const listening = onStopSignal((signal) => {
      listening[Symbol.dispose]()
      resolve(signal)
    }, source)
  })
}

export interface RunOptions {
  readonly clock: Clock
  readonly log: Log
  /** How long closing may take, in milliseconds, before the process ends without it. */
  readonly graceMs: number
  readonly source?: SignalSource
  /** Ends the process. Only tests pass another one. */
  readonly exit?: (code: number) => void
}

/**
 * Runs a process's main and ends the process with a code that means something. The main opens its resources with
 * `await using`, waits for the signal it is given (its reason is the signal's name) and returns; what it opened is
 * then closed. The first SIGINT or SIGTERM asks; a second one, or `graceMs` without an end, does not ask again.
 */
export async function runUntilStopped(main: (stop: AbortSignal) => Promise<void>, options: RunOptions): Promise<void> {
  const { clock, log, graceMs, source = process, exit = (code) => process.exit(code) } = options
  const stop = new AbortController()
  let pending: { cancel(): void } | undefined

  using _ = onStopSignal((signal) => {
    if (stop.signal.aborted) return exit(exitCodes.interrupted)
    log.info({ signal, graceMs }, 'stopping')
    pending = clock.timer(graceMs, () => {
      log.error({ graceMs }, 'closing took too long; ending without it')
      exit(exitCodes.fault)
    })
    stop.abort(signal)
  }, source)

  const code = await main(stop.signal).then(
    () => exitCodes.stopped,
    (error: unknown) => codeOf(error, log),
  )
  pending?.cancel()
  exit(code)
}

/** Resolves with the reason once the signal aborts: what a main waits for, beside what may fail under it. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}

function codeOf(error: unknown, log: Log): number {
  if (error instanceof ConfigMistakes) {
    for (const mistake of error.mistakes) log.error(mistake, 'configuration mistake')
    return exitCodes.configuration
  }
  if (error instanceof OperatorFault) log.error(error.message)
  else log.error({ err: error }, 'ended by a fault')
  return exitCodes.fault
}
