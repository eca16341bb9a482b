import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import { Program } from '../program.ts'

const portPattern = /Listening for client connections on \S*:(\d+)/

/** A server of NATS with everything in the folder, on a port that was free and that it keeps however often it is started. */
export class Nats implements AsyncDisposable {
  readonly #clock: Clock
  readonly #command: string
  readonly #folder: string
  readonly #stop: AbortSignal
  #program: Program | null = null
  /** With port -1 it chooses one that is free. */
  #port = -1

  constructor(clock: Clock, command: string, folder: string, stop: AbortSignal) {
    this.#clock = clock
    this.#command = command
    this.#folder = folder
    this.#stop = stop
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  get pid(): number {
    return this.#program?.pid ?? Number.NaN
  }

  async start(): Promise<void> {
    const args = ['-a', '127.0.0.1', '-p', String(this.#port), '-js', '-sd', this.#kept]
    const logFile = join(this.#folder, 'nats.log')
    const launch = { name: 'nats-server', command: this.#command, args, logFile, stop: this.#stop }
    this.#program = await Program.start(this.#clock, launch, (said) => said.includes('Server is ready'))
    this.#port = Number(portPattern.exec(this.#program.said())?.[1])
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#program?.end('SIGKILL')
  }

  /** Loses everything it kept; to be done while it does not run. */
  wipe(): void {
    rmSync(this.#kept, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.end()
  }

  get #kept(): string {
    return join(this.#folder, 'jetstream')
  }
}
