import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceName } from '#contracts/command.ts'
import type { Clock } from '#libs/clock.ts'
import { begunMessage } from '#libs/leases/duties.ts'
import { addressIn, serverMain } from '../controlPlane.ts'
import { Program } from '../program.ts'

export interface PlaceOptions {
  readonly clock: Clock
  readonly service: ServiceName
  /** Which of the service's processes it is, counted from 1. */
  readonly replica: number
  readonly folder: string
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stop: AbortSignal
}

/** Where one process of one service runs, and is started again when it was ended. */
export class Place {
  readonly name: string
  readonly service: ServiceName
  readonly #options: PlaceOptions
  #program: Program | null = null
  /** Kept when it is started again, since others may know it. */
  #port = 0
  #url = ''

  constructor(options: PlaceOptions) {
    this.#options = options
    this.service = options.service
    this.name = `${options.service}-${options.replica}`
  }

  get pid(): number {
    return this.#program?.pid ?? Number.NaN
  }

  get isRunning(): boolean {
    return this.#program?.isRunning === true
  }

  /** Where it listens; empty while it does not. */
  get url(): string {
    return this.isRunning ? this.#url : ''
  }

  async start(): Promise<void> {
    const { clock, service, folder, flags, env, stop } = this.#options
    const home = join(folder, this.name)
    mkdirSync(home, { recursive: true })
    const own = ['--services', service, '--port', String(this.#port), '--data', home, '--log-level', 'info']
    const launch = {
      name: this.name,
      command: process.execPath,
      args: [serverMain, ...own, ...flags],
      logFile: join(folder, `${this.name}.log`),
      env: { HOME: home, ...env },
      stop,
    }
    this.#url = ''
    this.#program = await Program.start(clock, launch, (said) => addressIn(said) !== '')
    this.#url = addressIn(this.#program.said())
    this.#port = Number(new URL(this.#url).port)
  }

  signal(name: NodeJS.Signals): void {
    this.#program?.signal(name)
  }

  /** Resolves when it has ended. */
  async end(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#program?.end(name)
  }

  /** When it last began to do work that one process at a time does, by the wall clock; null when it never did. */
  get beganAt(): number | null {
    const said = this.#program?.said() ?? ''
    const line = said.split('\n').findLast((text) => text.includes(begunMessage))
    return line === undefined ? null : (JSON.parse(line) as { time: number }).time
  }
}
