import type { WorkOrder } from '#contracts/agent.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import type { MachineKey } from '#libs/machineKey.ts'
import type { Journal } from './journal.ts'
import { createMask } from './masking/mask.ts'
import { maskOutput, withoutSecrets } from './masking/output.ts'
import type { AgentPorts, FailureReason } from './ports.ts'
import type { Reported, Reports } from './reports.ts'
import type { AgentSettings } from './settings.ts'
import { createTaskLog, type Chunk } from './taskLog.ts'
import { runWithPackage } from './withPackage.ts'

export type TaskNeeds = Pick<AgentPorts, 'clock' | 'files' | 'runner' | 'packages' | 'log'> & {
  /** Of this machine. */
  readonly key: MachineKey
  readonly journal: Journal
  readonly reports: Reports
  readonly settings: AgentSettings
}

const detailCharsMax = 2_000

/** A failure that the agent itself finds, in the shape of a result. */
export const failed = (reason: FailureReason, detail: string): TaskResult => ({
  outcome: 'failed',
  reason,
  exitCode: null,
  detail: detail.slice(0, detailCharsMax),
  durationMs: 0,
  logTruncated: false,
})

/**
 * Runs one work order, once: notes on disk that it begins, runs the script, and delivers what it prints as it comes.
 * @param why what is added to the result when the task was ended before its time, in words for people
 */
export async function execute(
  order: WorkOrder,
  signal: AbortSignal,
  why: () => string,
  needs: TaskNeeds,
): Promise<TaskResult> {
  const { clock, files, runner, log, journal, reports, settings } = needs
  const { taskId, deploymentId, logCharsMax: charsMax } = order
  const startedMs = clock.steadyMs()
  try {
    // On disk before anything runs: this is what makes it run at most once.
    await journal.record({ taskId, deploymentId, state: 'started', result: null })
  } catch (error) {
    return failed('could-not-start', `the journal of the agent cannot be written: ${String(error)}`)
  }
  if (signal.aborted) return failed('cancelled', why())

  const task: Reported = { taskId, deploymentId }
  reports.started(task)
  const deliver = (chunk: Chunk) => reports.chunk(task, chunk)
  const { logChunkCharsMax: chunkCharsMax, logFlushMs: flushMs } = settings
  const taskLog = createTaskLog({ clock, files, log, taskId, charsMax, chunkCharsMax, flushMs, deliver })
  const mask = createMask((order.sensitive ?? []).map((name) => order.environment[name] ?? ''))
  const masked = maskOutput(mask, { clock, flushMs, write: taskLog.write })
  const options = { signal, output: masked.output }
  const running =
    order.package === undefined ? runner.run(order, options) : runWithPackage(order, order.package, options, needs)
  const outcome = withoutSecrets(await running, mask)
  masked.end()
  const { truncated: logTruncated } = taskLog.end()
  const durationMs = Math.round(clock.steadyMs() - startedMs)
  if (outcome.outcome === 'succeeded') return { ...outcome, durationMs, logTruncated }
  const detail = [outcome.detail, why()].filter((part) => part !== '').join(': ')
  return { ...outcome, detail: detail.slice(0, detailCharsMax), durationMs, logTruncated }
}
