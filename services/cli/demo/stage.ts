import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '#libs/clock.ts'
import type { ControlPlane } from './controlPlane.ts'
import { baseEnvironment, signal } from './program.ts'

export const agentMain = fileURLToPath(new URL('../../agent/main.ts', import.meta.url))
const stopWithinMs = 20_000
const lookEveryMs = 50
const ownerOnly = 0o600
const ownerOnlyFolder = 0o700

/**
 * Where the demo plays: a folder that is gone afterwards, a control plane, and one process with a folder of its own for
 * every machine. A machine's process id is in its folder, so that scripts of a deployment can start and end machines too.
 */
export class Stage<Plane extends ControlPlane = ControlPlane> implements AsyncDisposable {
  readonly folder: string
  readonly clock: Clock
  #plane: Plane | null = null

  private constructor(folder: string, clock: Clock) {
    this.folder = folder
    this.clock = clock
  }

  /** @param start starts the control plane, which keeps what it has in the folder */
  static async build<Plane extends ControlPlane>(
    clock: Clock,
    start: (folder: string) => Promise<Plane>,
  ): Promise<Stage<Plane>> {
    const stage = new Stage<Plane>(await mkdtemp(join(tmpdir(), 'remuda-demo-')), clock)
    mkdirSync(stage.machinesFolder, { mode: ownerOnlyFolder })
    try {
      stage.#plane = await start(stage.folder)
      return stage
    } catch (error) {
      await stage[Symbol.asyncDispose]()
      throw error
    }
  }

  get plane(): Plane {
    if (this.#plane === null) throw new Error('The stage has no control plane yet.')
    return this.#plane
  }

  get url(): string {
    return this.plane.url
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
    await Promise.all([this.#endMachines(), this.#plane?.[Symbol.asyncDispose]()])
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #endMachines(): Promise<void> {
    const names = readdirSync(this.machinesFolder)
    for (const name of names) signal(this.#pidOf(name), 'SIGTERM')
    const left = () => names.filter((name) => this.isRunning(name))
    for (let waitedMs = 0; waitedMs < stopWithinMs && left().length > 0; waitedMs += lookEveryMs)
      await this.clock.sleep(lookEveryMs)
    for (const name of left()) this.killMachine(name)
  }

  #pidOf(name: string): number {
    return Number(this.fileOn(name, 'pid') ?? Number.NaN)
  }
}
