import { z } from 'zod'
import type { WorkOrder } from '#contracts/agent.ts'
import type { CheckRunner, RunOptions, RunOutcome, Runner, StopReason } from '#services/agent/ports.ts'
import type { Context } from './context.ts'
import { seedOf } from './context.ts'
import type { Truth } from './truth.ts'

/** What a script of the simulation does, as the text that stands in a step. */
export const Script = z.object({
  durationMinMs: z.number(),
  durationMaxMs: z.number(),
  /** The chance that it fails this time. */
  failsShare: z.number(),
  /** The share of machines on which it always fails. */
  badMachinesShare: z.number(),
})
export type Script = z.infer<typeof Script>

const killedAfterMs = 200
/** Of those that are killed: what hangs in its kernel meanwhile, longer than anybody waits for it. */
const unkillableShare = 0.3
const unkillableForMs = 90_000

/** No policy of the simulation has checks; one that it is given all the same is well. */
export const passingChecks: CheckRunner = {
  run: () => Promise.resolve({ reason: null, exitCode: 0, detail: '' }),
  clearAway: () => Promise.resolve(),
}

/** Runs scripts that only take time, and counts each beginning where nothing inside the simulation can see it. */
export function createRunner(context: Context, machineId: () => string, truth: Truth): Runner {
  return {
    clearAway: () => Promise.resolve(),
    run(order, options) {
      if (context.isDead) return new Promise(() => {})
      const execution = truth.began(order.taskId, machineId())
      return new Promise((resolve) => {
        const settle = (outcome: RunOutcome) => {
          execution.outcome = outcome.outcome
          resolve(outcome)
        }
        play(order, options, context, machineId(), settle)
      })
    },
  }
}

function play(
  order: WorkOrder,
  { signal, output }: RunOptions,
  context: Context,
  machineId: string,
  settle: (outcome: RunOutcome) => void,
): void {
  const script = Script.parse(JSON.parse(order.script))
  const { chance } = context.dice
  const wantedMs = script.durationMinMs + chance() * (script.durationMaxMs - script.durationMinMs)
  output(`${order.stepId} begins\n`)
  const finish = () => {
    signal.removeEventListener('abort', stop)
    output('done\n')
    if (wantedMs > order.timeLimitMs) settle(failure('time-limit'))
    else if (isBad(script, order, machineId) || chance() < script.failsShare) settle(failure('exit-code'))
    else settle({ outcome: 'succeeded', outputs: {} })
  }
  const stop = () => {
    timer.cancel()
    const endsAfterMs = chance() < unkillableShare ? unkillableForMs : killedAfterMs
    context.timer(endsAfterMs, () => settle(failure(signal.reason as StopReason)))
  }
  const timer = context.timer(Math.min(wantedMs, order.timeLimitMs), finish)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
}

const failure = (reason: 'time-limit' | 'exit-code' | StopReason): RunOutcome => ({
  outcome: 'failed',
  reason,
  exitCode: reason === 'exit-code' ? 1 : null,
  detail: '',
})

/** The same machine always fails with the same release. */
const isBad = ({ badMachinesShare }: Script, { environment }: WorkOrder, machineId: string): boolean =>
  (seedOf(1, environment['REMUDA_VERSION'] ?? '', machineId) >>> 0) / 2 ** 32 < badMachinesShare
