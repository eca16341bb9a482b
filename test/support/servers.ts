import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const installWithinMs = 240_000
const startWithinMs = 20_000
const stopWithinMs = 10_000

/**
 * Finds a program of the distribution, and installs its package where we may.
 * @returns null, said aloud, when there is none and it cannot be installed; where CI is set, a skipped test then fails
 */
export async function findServer(program: string, packageName: string): Promise<string | null> {
  const found = await onPath(program)
  if (found !== null) return found
  if (process.getuid?.() === 0) {
    const apt = (...words: string[]) =>
      run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...words], {
        timeout: installWithinMs,
        // In run level 1 a package does not start its service, which would sit on the usual port.
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      })
    const install = () => apt('install', '-y', '--no-install-recommends', packageName)
    await install().catch(() =>
      apt('update')
        .then(install)
        .catch(() => {}),
    )
  }
  const installed = await onPath(program)
  if (installed === null) console.warn(`SKIPPED: ${program} is not on the path; install the package ${packageName}.`)
  return installed
}

const onPath = (program: string): Promise<string | null> =>
  // People other than root do not have the folder of servers on their path.
  run('sh', ['-c', 'PATH="$PATH:/usr/sbin"; command -v "$0"', program]).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )

/** The real server of NATS, or null where there is none: `describe.skipIf(natsProgram === null)`. */
export const findNats = (): Promise<string | null> => findServer('nats-server', 'nats-server')

// Whoever ends this process in the middle of a test must not leave servers behind.
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** Resolves when the server of NATS says that it is ready; rejects with all that it said when it does not. */
export function untilReady(child: ChildProcess, hear: (text: string) => string): Promise<void> {
  let output = ''
  return new Promise<void>((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`nats-server ${what}:\n${output}`))
    const deadline = setTimeout(() => fail('is not ready'), startWithinMs)
    child.once('exit', () => fail('ended'))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      output = hear(text)
      if (!output.includes('Server is ready')) return
      clearTimeout(deadline)
      resolve()
    })
  })
}

/** A server of NATS of our own on a port that was free, which it keeps however often it is started. */
export class NatsServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-nats-'))
  readonly #program: string
  readonly #config: string
  #jetstream: boolean
  #child: ChildProcess | null = null
  #port = -1
  output = ''

  private constructor(program: string, config: string, jetstream: boolean) {
    this.#program = program
    this.#config = config
    this.#jetstream = jetstream
  }

  /** @param config more of its configuration, in its own language */
  static async start(program: string, config = '', jetstream = true): Promise<NatsServer> {
    const server = new NatsServer(program, config, jetstream)
    await server.start()
    return server
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const store = join(this.folder, 'jetstream')
    mkdirSync(store, { recursive: true })
    const file = join(this.folder, 'nats.conf')
    const jetstream = this.#jetstream ? `jetstream { store_dir: "${store}" }` : ''
    writeFileSync(file, `host: 127.0.0.1\nport: ${this.#port}\n${jetstream}\n${this.#config}`)
    this.output = ''
    const child = spawn(this.#program, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    running.add(child)
    await untilReady(child, (text) => (this.output += text))
    // With port -1 the server chooses one that is free, and says which.
    this.#port = Number(/Listening for client connections on \S*:(\d+)/.exec(this.output)?.[1])
  }

  /** Comes back as a server that keeps things, which it was not before. */
  async restartWithJetStream(): Promise<void> {
    await this.kill()
    this.#jetstream = true
    await this.start()
  }

  /** Ends it as the system would on shutting down. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Loses everything it kept; to be done while it is stopped. */
  wipe(): void {
    rmSync(join(this.folder, 'jetstream'), { recursive: true, force: true })
  }

  /** Holds it still, so that it neither answers nor lets go of its connections. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null) return
    running.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit', { signal: AbortSignal.timeout(stopWithinMs) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
