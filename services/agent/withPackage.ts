import type { PackageOrder, WorkOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import type { TaskNeeds } from './execute.ts'
import { failureOf } from './packages/fault.ts'
import type { FailureReason, ReadyPackage, RunOptions, RunOutcome } from './ports.ts'

/**
 * Has the package of an order ready, runs the script in it, if there is one, and makes it current only when that went
 * well. Download, unpacking and script share the time limit of the order.
 */
export async function runWithPackage(
  order: WorkOrder,
  wanted: PackageOrder,
  options: RunOptions,
  needs: Pick<TaskNeeds, 'clock' | 'runner' | 'packages' | 'key'>,
): Promise<RunOutcome> {
  const { clock, runner, packages, key } = needs
  const startedMs = clock.steadyMs()
  let ready: ReadyPackage
  try {
    using limit = limited(clock, order.timeLimitMs, options.signal)
    ready = await packages.prepare(wanted, { key, signal: limit.signal, say: options.output })
  } catch (error) {
    return notInstalled(error, order.timeLimitMs)
  }
  using held = ready
  const { folder, previous } = held
  if (order.script !== '') {
    const own = { REMUDA_PACKAGE_DIR: folder, REMUDA_PACKAGE_PREVIOUS_DIR: previous ?? '' }
    const environment = { ...order.environment, ...own, REMUDA_PACKAGE_VERSION: wanted.version }
    const timeLimitMs = Math.max(1, Math.round(order.timeLimitMs - (clock.steadyMs() - startedMs)))
    const outcome = await runner.run({ ...order, environment, timeLimitMs }, { ...options, cwd: folder })
    if (outcome.outcome === 'failed') return outcome
    const problem = await activated(held)
    return problem ?? outcome
  }
  return (await activated(held)) ?? { outcome: 'succeeded', outputs: {} }
}

const activated = (ready: ReadyPackage): Promise<RunOutcome | null> =>
  ready.activate().then(
    () => null,
    (error: unknown) => failure('could-not-start', `the package is not in use: ${wordsOf(error)}`),
  )

/** Aborts when the signal does, or when the time is up; the reason is why the task fails. */
function limited(clock: Clock, limitMs: number, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController()
  const timer = clock.timer(limitMs, () => late.abort('time-limit' satisfies FailureReason))
  return { signal: AbortSignal.any([signal, late.signal]), [Symbol.dispose]: () => timer.cancel() }
}

/** @param error a fault, or why the task was ended, which is what the signal was aborted with */
function notInstalled(error: unknown, limitMs: number): RunOutcome {
  if (error === 'time-limit') return failure(error, `the package was not installed: it took longer than ${limitMs} ms`)
  if (error === 'cancelled' || error === 'interrupted') return failure(error, 'the package was not installed')
  return failure(failureOf(error), `the package was not installed: ${wordsOf(error)}`)
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const failure = (reason: FailureReason, detail: string): RunOutcome => ({
  ...({ outcome: 'failed', reason, exitCode: null } as const),
  detail,
})
