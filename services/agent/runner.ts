import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkOrder } from '#contracts/agent.ts'
import type { Clock } from '#libs/clock.ts'
import { readOutputs } from './outputs.ts'
import type { FailureReason, RunOptions, RunOutcome, Runner, StopReason } from './ports.ts'
import { endGroup, groupHasVariable, signalGroup } from './processGroup.ts'
import { copyOutput } from './streams.ts'
import { taskFileName } from './taskLog.ts'

const folderMode = 0o700
const fileMode = 0o600
const groupFile = 'group'
const taskVariable = 'REMUDA_TASK_ID'
/** What a script inherits of the agent's own environment. Nothing else, or the join token would be in every log. */
const inherited = ['PATH', 'HOME', 'LANG', 'USER', 'SystemRoot', 'TEMP']

export interface RunnerOptions {
  readonly clock: Clock
  /** The agent's data folder. Scripts run in a folder of their own below it, which is removed afterwards. */
  readonly folder: string
  /** How long a process may take to end when it is asked to, before it is made to. */
  readonly killGraceMs?: number
  /** How long the processes that a script has left in its group may take, and its output to come to an end. */
  readonly leftoverGraceMs?: number
  /** How long to wait for a process that does not even end when it is made to. */
  readonly unkillableMs?: number
}

/**
 * Runs scripts as processes of this machine, each in a process group of its own that ends with it. What a script
 * starts with `setsid` leaves the group and lives on: that is how it may start a daemon, which should send its output
 * elsewhere, since nobody reads it any more.
 */
export function createRunner(options: RunnerOptions): Runner {
  const folderOf = (taskId: string) => join(options.folder, 'tasks', taskFileName(taskId))
  return {
    async run(order, run) {
      const folder = folderOf(order.taskId)
      try {
        return await runIn(folder, order, run, options)
      } catch (error) {
        return failure('could-not-start', String(error))
      } finally {
        await removeFolder(folder)
      }
    },
    async clearAway(taskId) {
      const folder = folderOf(taskId)
      const group = Number(await readFile(join(folder, groupFile), 'utf8').catch(() => 'NaN'))
      const isOurs = group > 1 && (await groupHasVariable(group, taskVariable, taskId))
      if (isOurs) await endGroup(options.clock, group, options.killGraceMs ?? defaults.killGraceMs)
      await removeFolder(folder)
    },
  }
}

const defaults = { killGraceMs: 10_000, leftoverGraceMs: 1_000, unkillableMs: 10_000 }

async function runIn(folder: string, order: WorkOrder, run: RunOptions, options: RunnerOptions): Promise<RunOutcome> {
  const { clock, leftoverGraceMs } = { ...defaults, ...options }
  await removeFolder(folder)
  await mkdir(folder, { recursive: true, mode: folderMode })
  const outputFile = join(folder, 'output')
  const script = join(folder, order.interpreter === 'pwsh' ? 'script.ps1' : 'script')
  await writeFile(outputFile, '', { mode: fileMode })
  await writeFile(script, order.script, { mode: fileMode })

  const child = await start(order, script, folder, outputFile)
  if (child instanceof Error) return failure('could-not-start', explainStart(order.interpreter, child))
  // Listened for before anything else is waited for: a short script may end at once.
  const output = copyOutput(child, run.output)
  const exit = untilExit(child, order, run.signal, { ...defaults, ...options })
  // Without it a later agent cannot end what a crash leaves behind, which is no reason not to go on.
  await writeFile(join(folder, groupFile), String(child.pid), { mode: fileMode }).catch(() => {})
  const end = await exit
  await endGroup(clock, child.pid!, leftoverGraceMs)
  await Promise.race([output.ended, clock.sleep(leftoverGraceMs)])
  output.stop()

  if (end.reason !== null) return { ...failure(end.reason, end.detail), exitCode: end.exitCode }
  const parsed = await readOutputs(outputFile)
  return 'problem' in parsed ? failure('bad-output', parsed.problem) : { outcome: 'succeeded', outputs: parsed.outputs }
}

/** Starts the interpreter, without a shell between, in a process group of its own. */
function start(order: WorkOrder, script: string, folder: string, outputFile: string): Promise<ChildProcess | Error> {
  const words = order.interpreter === 'pwsh' ? ['-NoProfile', '-NonInteractive', '-File', script] : [script]
  return new Promise((resolve) => {
    try {
      const child = spawn(order.interpreter, words, {
        cwd: folder,
        env: environmentFor(order, outputFile),
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        windowsHide: true,
      })
      child.once('spawn', () => resolve(child))
      child.once('error', resolve)
    } catch (error) {
      // Some mistakes are found before there is a process to tell of them.
      resolve(error as Error)
    }
  })
}

function environmentFor(order: WorkOrder, outputFile: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])),
    ...order.environment,
    REMUDA_OUTPUT: outputFile,
    [taskVariable]: order.taskId,
    REMUDA_DEPLOYMENT_ID: order.deploymentId,
    REMUDA_STEP_ID: order.stepId,
    REMUDA_ATTEMPT: String(order.attempt),
  }
}

interface Exit {
  /** null: it ended by itself, and well. */
  readonly reason: FailureReason | null
  readonly exitCode: number | null
  readonly detail: string
}

/** Waits for a script to end; asks it to when its time is up or it is not wanted any more, and then makes it. */
function untilExit(
  child: ChildProcess,
  { timeLimitMs }: WorkOrder,
  signal: AbortSignal,
  { clock, killGraceMs, unkillableMs }: Required<RunnerOptions>,
): Promise<Exit> {
  return new Promise((resolve) => {
    let stopped: { reason: FailureReason; detail: string } | null = null
    let timer = clock.timer(timeLimitMs, () => stop('time-limit', `it took longer than ${timeLimitMs} ms`))

    const settle = (exit: Exit) => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      resolve(exit)
    }
    const giveUp = () => settle({ ...stopped!, exitCode: null, detail: `${stopped!.detail}; it could not be killed` })
    const kill = () => {
      signalGroup(child.pid!, 'SIGKILL')
      timer = clock.timer(unkillableMs, giveUp)
    }
    const stop = (reason: FailureReason, detail: string) => {
      if (stopped) return
      stopped = { reason, detail }
      timer.cancel()
      signalGroup(child.pid!, 'SIGTERM')
      timer = clock.timer(killGraceMs, kill)
    }
    const onAbort = () => stop(signal.reason as StopReason, '')

    child.once('exit', (exitCode, killedBy) => {
      if (stopped) settle({ ...stopped, exitCode })
      else if (killedBy) settle({ reason: 'signal', exitCode: null, detail: `a signal ended it: ${killedBy}` })
      else if (exitCode === 0) settle({ reason: null, exitCode, detail: '' })
      else settle({ reason: 'exit-code', exitCode, detail: `it ended with exit code ${exitCode}` })
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

const failure = (reason: FailureReason, detail: string) =>
  ({ outcome: 'failed', reason, exitCode: null, detail }) as const

function explainStart(interpreter: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `there is no ${interpreter} on this machine`
  if (error.code === 'E2BIG') return 'the variables take more room than the system gives a process'
  return error.message
}

const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
