import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#libs/clock.ts'

const serverMain = fileURLToPath(new URL('../../main.ts', import.meta.url))
export const agentMain = fileURLToPath(new URL('../../agent/main.ts', import.meta.url))
const startWithinMs = 60_000
const stopWithinMs = 20_000
const lookEveryMs = 50
const ownerOnly = 0o600

/**
 * Where the demo plays: a folder that is gone afterwards, a server, and one process with a folder of its own for every
 * machine. A machine's process id is in its folder, so that scripts of a deployment can start and end machines too.
 */
export class Stage implements AsyncDisposable {
  readonly folder: string
  readonly clock: Clock
  url = ''
  #server: ChildProcess | null = null

  private constructor(folder: string, clock: Clock) {
    this.folder = folder
    this.clock = clock
  }

  static async build(clock: Clock, port: number): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'remuda-demo-')), clock)
    mkdirSync(stage.machinesFolder)
    try {
      await stage.#startServer(port)
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get machinesFolder(): string {
    return join(this.folder, 'machines')
  }

  get joinTokenFile(): string {
    return join(this.folder, 'join-token')
  }

  keepJoinToken(token: string): void {
    writeFileSync(this.joinTokenFile, `${token}\n`, { mode: ownerOnly })
  }

  async adminToken(): Promise<string> {
    return (await readFile(join(this.folder, 'data', 'admin-token'), 'utf8')).trim()
  }

  /** Starts a machine: an agent with a folder of its own, which it finds again when it is started again. */
  startMachine(name: string, role: string): void {
    const home = join(this.machinesFolder, name)
    mkdirSync(home, { recursive: true })
    const flags = ['--server', this.url, '--token-file', this.joinTokenFile, '--name', name, '--role', role]
    const log = openSync(join(home, 'agent.log'), 'a')
    const child = spawn(process.execPath, [agentMain, ...flags, '--data', join(home, 'agent')], {
      stdio: ['ignore', log, log],
      env: { ...baseEnvironment(), HOME: home },
    })
    closeSync(log)
    writeFileSync(join(home, 'pid'), String(child.pid))
  }

  /** Ends a machine at once, as a power cut does. */
  killMachine(name: string): void {
    signal(this.#pidOf(name), 'SIGKILL')
  }

  isRunning(name: string): boolean {
    return signal(this.#pidOf(name), 0)
  }

  /** A file that a deployment left on a machine; null when it is not there. */
  fileOn(name: string, file: string): string | null {
    try {
      return readFileSync(join(this.machinesFolder, name, file), 'utf8').trim()
    } catch {
      return null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const names = readdirSync(this.machinesFolder)
    for (const name of names) signal(this.#pidOf(name), 'SIGTERM')
    this.#server?.kill('SIGTERM')
    const left = () => names.filter((name) => this.isRunning(name))
    for (
      let waitedMs = 0;
      waitedMs < stopWithinMs && (left().length > 0 || this.#serverRuns());
      waitedMs += lookEveryMs
    )
      await this.clock.sleep(lookEveryMs)
    for (const name of left()) this.killMachine(name)
    if (this.#serverRuns()) this.#server?.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #serverRuns(): boolean {
    return this.#server !== null && this.#server.exitCode === null && this.#server.signalCode === null
  }

  #pidOf(name: string): number {
    return Number(this.fileOn(name, 'pid') ?? Number.NaN)
  }

  async #startServer(port: number): Promise<void> {
    const errors = openSync(join(this.folder, 'server.log'), 'a')
    const flags = ['--port', String(port), '--data', join(this.folder, 'data'), '--worker', '--log-level', 'warn']
    const server = spawn(process.execPath, [serverMain, ...flags], {
      stdio: ['ignore', 'pipe', errors],
      env: { ...baseEnvironment(), HOME: this.folder },
    })
    closeSync(errors)
    this.#server = server
    let said = ''
    server.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
    for (let waitedMs = 0; waitedMs < startWithinMs; waitedMs += lookEveryMs) {
      this.url = /console +(http:\S+?)\/\s/.exec(said)?.[1] ?? ''
      if (this.url !== '') return
      if (!this.#serverRuns()) break
      await this.clock.sleep(lookEveryMs)
    }
    throw new Error(`The server did not start:\n${readFileSync(join(this.folder, 'server.log'), 'utf8')}`)
  }
}

/** What a process needs to run, and none of the settings that the person who runs the demo may have for a real server. */
const baseEnvironment = () => ({ PATH: process.env.PATH ?? '', LANG: process.env.LANG ?? 'C.UTF-8' })

const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return Number.isInteger(pid) && process.kill(pid, name)
  } catch {
    return false
  }
}
