import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import type { FailureReason, RunOptions, ScriptEnd, StopReason } from './ports.ts'
import { endGroup, groupHasVariable, signalGroup } from './processGroup.ts'
import { copyOutput } from './streams.ts'

const folderMode = 0o700
const fileMode = 0o600
const groupFile = 'group'
/** What a script inherits of the agent's own environment. Nothing else, or the join token would be in every log. */
const inherited = ['PATH', 'HOME', 'LANG', 'USER', 'SystemRoot', 'TEMP']

export interface Script {
  readonly interpreter: string
  readonly script: string
  /** Beside what every script inherits. */
  readonly environment: Readonly<Record<string, string>>
  readonly timeLimitMs: number
}

export interface ScriptLimits {
  readonly clock: Clock
  /** How long a process may take to end when it is asked to, before it is made to. */
  readonly killGraceMs: number
  /** How long the processes that a script has left in its group may take, and its output to come to an end. */
  readonly leftoverGraceMs: number
  /** How long to wait for a process that does not even end when it is made to. */
  readonly unkillableMs: number
}

/** Makes the folder in which a script runs, without what an earlier run may have left there. */
export async function makeFolder(folder: string): Promise<void> {
  await removeFolder(folder)
  await mkdir(folder, { recursive: true, mode: folderMode })
}

export const removeFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})

/** Writes a file that only the owner of the agent can read. */
export const writeOwn = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: fileMode })

/**
 * Runs a script in a folder that is there for it, as a process of this machine in a process group of its own that ends
 * with it. What it starts with `setsid` leaves the group and lives on: that is how it may start a daemon, which should
 * send its output elsewhere, since nobody reads it any more.
 */
export async function runScript(
  folder: string,
  given: Script,
  run: RunOptions,
  limits: ScriptLimits,
): Promise<ScriptEnd> {
  const { clock, leftoverGraceMs } = limits
  const file = join(folder, given.interpreter === 'pwsh' ? 'script.ps1' : 'script')
  await writeOwn(file, given.script)
  const child = await start(given, file, run.cwd ?? folder)
  if (child instanceof Error)
    return { reason: 'could-not-start', exitCode: null, detail: explainStart(given.interpreter, child) }
  // Listened for before anything else is waited for: a short script may end at once.
  const output = copyOutput(child, run.output)
  const exit = untilExit(child, given.timeLimitMs, run.signal, limits)
  // Without it a later agent cannot end what a crash leaves behind, which is no reason not to go on.
  await writeOwn(join(folder, groupFile), String(child.pid)).catch(() => {})
  const end = await exit
  await endGroup(clock, child.pid!, leftoverGraceMs)
  await Promise.race([output.ended, clock.sleep(leftoverGraceMs)])
  output.stop()
  return end
}

/**
 * Ends what a run of an earlier agent process may have left behind, and removes its folder.
 * @param variable by which its processes are told from others that were given the same group since
 */
export async function clearLeftover(
  folder: string,
  [name, value]: readonly [name: string, value: string],
  { clock, killGraceMs }: Pick<ScriptLimits, 'clock' | 'killGraceMs'>,
): Promise<void> {
  const group = Number(await readFile(join(folder, groupFile), 'utf8').catch(() => 'NaN'))
  const isOurs = group > 1 && (await groupHasVariable(group, name, value))
  if (isOurs) await endGroup(clock, group, killGraceMs)
  await removeFolder(folder)
}

/** Starts the interpreter, without a shell between, in a process group of its own. */
function start({ interpreter, environment }: Script, file: string, folder: string): Promise<ChildProcess | Error> {
  const words = interpreter === 'pwsh' ? ['-NoProfile', '-NonInteractive', '-File', file] : [file]
  const kept = Object.fromEntries(inherited.map((name) => [name, process.env[name]]))
  return new Promise((resolve) => {
    try {
      const child = spawn(interpreter, words, {
        cwd: folder,
        env: { ...kept, ...environment },
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

/** Waits for a script to end; asks it to when its time is up or it is not wanted any more, and then makes it. */
function untilExit(
  child: ChildProcess,
  timeLimitMs: number,
  signal: AbortSignal,
  { clock, killGraceMs, unkillableMs }: ScriptLimits,
): Promise<ScriptEnd> {
  return new Promise((resolve) => {
    let stopped: { reason: FailureReason; detail: string } | null = null
    let timer = clock.timer(timeLimitMs, () => stop('time-limit', `it took longer than ${timeLimitMs} ms`))

    const settle = (exit: ScriptEnd) => {
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

function explainStart(interpreter: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `there is no ${interpreter} on this machine`
  if (error.code === 'E2BIG') return 'the variables take more room than the system gives a process'
  return error.message
}
