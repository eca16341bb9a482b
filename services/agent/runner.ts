import { join } from 'node:path'
import type { WorkOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import { callHttp } from './httpCall.ts'
import { readOutputs } from './outputs.ts'
import type { FailureReason, RunOptions, RunOutcome, Runner } from './ports.ts'
import { clearLeftover, makeFolder, removeFolder, runScript, writeOwn, type ScriptLimits } from './script.ts'
import { environmentFor, taskVariable, writeValues } from './scriptEnvironment.ts'
import { taskFileName } from './taskLog.ts'

/** The limits of a script, as far as they are not to be the usual ones. */
export interface RunnerOptions extends Partial<ScriptLimits> {
  readonly clock: Clock
  /** The agent's data folder. Scripts run in a folder of their own below it, which is removed afterwards. */
  readonly folder: string
}

const defaults = { killGraceMs: 10_000, leftoverGraceMs: 1_000, unkillableMs: 10_000 }

/** Runs the scripts of tasks. See `runScript`. */
export function createRunner({ folder: root, ...given }: RunnerOptions): Runner {
  const limits: ScriptLimits = { ...defaults, ...given }
  const folderOf = (taskId: string) => join(root, 'tasks', taskFileName(taskId))
  return {
    async run(order, run) {
      if (order.http !== undefined) return callHttp(limits.clock, order, order.http, run)
      const folder = folderOf(order.taskId)
      try {
        return await runIn(folder, order, run, limits)
      } catch (error) {
        return failure('could-not-start', String(error))
      } finally {
        await removeFolder(folder)
      }
    },
    clearAway: (taskId) => clearLeftover(folderOf(taskId), [taskVariable, taskId], limits),
  }
}

async function runIn(folder: string, order: WorkOrder, run: RunOptions, limits: ScriptLimits): Promise<RunOutcome> {
  await makeFolder(folder)
  const outputFile = join(folder, 'output')
  await writeOwn(outputFile, '')
  const paths = await writeValues(order, folder)
  const { interpreter, script, timeLimitMs } = order
  const environment = { ...environmentFor(order, outputFile), ...paths }
  const end = await runScript(folder, { interpreter, script, timeLimitMs, environment }, run, limits)
  const parsed = await readOutputs(outputFile)
  if (end.reason !== null) {
    const said = 'problem' in parsed || Object.keys(parsed.outputs).length === 0 ? {} : { outputs: parsed.outputs }
    return { ...failure(end.reason, end.detail), exitCode: end.exitCode, ...said }
  }
  return 'problem' in parsed ? failure('bad-output', parsed.problem) : { outcome: 'succeeded', outputs: parsed.outputs }
}

const failure = (reason: FailureReason, detail: string) =>
  ({ outcome: 'failed', reason, exitCode: null, detail }) as const
