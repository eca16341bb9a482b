import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import type { Clock } from '#libs/clock.ts'

const startWithinMs = 60_000
const stopWithinMs = 20_000
const lookEveryMs = 50

/** What a process needs to run, and none of the settings that the person who runs the demo may have for a real server. */
export const baseEnvironment = () => ({ PATH: process.env.PATH ?? '', LANG: process.env.LANG ?? 'C.UTF-8' })

/** @returns whether there is such a process; 0 only asks */
export const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return Number.isInteger(pid) && process.kill(pid, name)
  } catch {
    return false
  }
}

// Whoever ends the demo at once must not leave servers behind.
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

export interface Launch {
  /** What it is called when it has to be said that it does not start. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The file that its words are added to. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Aborted when nobody waits for it any more. */
  readonly stop: AbortSignal
  /** Runs as somebody else. */
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** A server that the demo runs in a process of its own. */
export class Program {
  readonly #clock: Clock
  readonly #launch: Launch
  readonly #child: ChildProcess
  readonly #saidBefore: number

  private constructor(clock: Clock, launch: Launch) {
    this.#clock = clock
    this.#launch = launch
    const log = openSync(launch.logFile, 'a')
    this.#saidBefore = statSync(launch.logFile).size
    this.#child = spawn(launch.command, launch.args, {
      stdio: ['ignore', log, log],
      // Ctrl-C reaches all that belong to the terminal at once; what it is to end, and when, is for the demo to say.
      detached: true,
      env: { ...baseEnvironment(), ...launch.env },
      ...(launch.cwd === undefined ? {} : { cwd: launch.cwd }),
      ...launch.user,
    })
    closeSync(log)
    running.add(this.#child)
    for (const end of ['exit', 'error']) this.#child.once(end, () => running.delete(this.#child))
  }

  /**
   * Starts it and waits until it is ready.
   * @param isReady looks at what it has said so far
   * @throws with its words when it ends, or is not ready in time; with the reason for the stop when it is stopped
   */
  static async start(
    clock: Clock,
    launch: Launch,
    isReady: (said: string) => boolean | Promise<boolean>,
  ): Promise<Program> {
    const program = new Program(clock, launch)
    const deadlineMs = clock.steadyMs() + startWithinMs
    while (program.isRunning && !launch.stop.aborted && clock.steadyMs() < deadlineMs) {
      if (await isReady(program.said())) return program
      await clock.sleep(lookEveryMs, launch.stop)
    }
    const said = program.said()
    await program.end('SIGKILL')
    launch.stop.throwIfAborted()
    throw new Error(`${launch.name} did not start:\n${said}`)
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN
  }

  get isRunning(): boolean {
    return running.has(this.#child)
  }

  /** What it has said since it was started. */
  said(): string {
    return readFileSync(this.#launch.logFile).subarray(this.#saidBefore).toString()
  }

  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name)
  }

  /** Ends it, if need be by force. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.signal(name)
    const deadlineMs = this.#clock.steadyMs() + stopWithinMs
    while (this.isRunning && this.#clock.steadyMs() < deadlineMs) await this.#clock.sleep(lookEveryMs)
    this.signal('SIGKILL')
    while (this.isRunning && this.#clock.steadyMs() < deadlineMs + stopWithinMs) await this.#clock.sleep(lookEveryMs)
  }
}
