import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { Clock } from '#libs/clock.ts'
import { Program } from '../program.ts'

const execute = promisify(execFile)
const initialiseWithinMs = 60_000
const ownerOnly = 0o700
/** Others may pass, and see nothing. */
const passable = 0o711
/** Each process of Remuda has a handful. */
const connectionsMax = 300

/** A server of PostgreSQL that can be reached only through a socket in its folder. It writes durably, as in earnest. */
export class Postgres implements AsyncDisposable {
  readonly #clock: Clock
  readonly #programs: string
  readonly #folder: string
  readonly #stop: AbortSignal
  readonly #user = unprivileged()
  #program: Program | null = null

  constructor(clock: Clock, programs: string, folder: string, stop: AbortSignal) {
    this.#clock = clock
    this.#programs = programs
    this.#folder = folder
    this.#stop = stop
  }

  get url(): string {
    return `postgres://postgres@/postgres?${new URLSearchParams({ host: this.#folder })}`
  }

  get pid(): number {
    return this.#program?.pid ?? Number.NaN
  }

  /** Makes an empty database in the folder. */
  async initialise(): Promise<void> {
    mkdirSync(this.#folder, { mode: ownerOnly })
    if (this.#user !== undefined) {
      chownSync(this.#folder, this.#user.uid, this.#user.gid)
      chmodSync(dirname(this.#folder), passable)
    }
    const choices = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
    const options = { ...this.#user, cwd: this.#folder, timeout: initialiseWithinMs }
    await execute(join(this.#programs, 'initdb'), ['-D', this.#data, ...choices], options)
  }

  async start(): Promise<void> {
    const settings = {
      unix_socket_directories: this.#folder,
      listen_addresses: '',
      shared_buffers: '32MB',
      max_connections: String(connectionsMax),
    }
    const launch = {
      name: 'PostgreSQL',
      command: join(this.#programs, 'postgres'),
      args: ['-D', this.#data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      logFile: join(dirname(this.#folder), 'postgres.log'),
      cwd: this.#folder,
      stop: this.#stop,
      ...(this.#user === undefined ? {} : { user: this.#user }),
    }
    this.#program = await Program.start(this.#clock, launch, () => this.#answers())
  }

  /** Ends it in the middle of everything, so that it has to recover at its next start. */
  async crash(): Promise<void> {
    await this.#program?.end('SIGQUIT')
  }

  /** Ends it in good order, without waiting for those who are connected. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program?.end('SIGINT')
  }

  async #answers(): Promise<boolean> {
    const client = new Client(this.url)
    // A connection that breaks while it is made says so twice; the first time is enough.
    client.on('error', () => {})
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody. */
export function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const found = ['postgres', 'nobody'].map((name) => users.find(([user]) => user === name)).find(Boolean)
  if (found === undefined) throw new Error('PostgreSQL must not run as root, and there is no user postgres or nobody.')
  const [, , uid, gid] = found
  return { uid: Number(uid), gid: Number(gid) }
}
