import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { connect, nkeyAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { untilReady } from '#test/support/servers.ts'
import { repository } from './repository.ts'

// Whoever ends this process in the middle of a test must not leave servers behind.
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

interface Given {
  readonly file?: string
  readonly users?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** A real server of NATS with the configuration that is shipped, as it is, and a key for each of its users. */
export class ShippedNats implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-shipped-nats-'))
  readonly keys = join(this.folder, 'keys')
  /** All that the server has said, refusals among it. */
  output = ''
  port = -1
  monitorPort = -1
  #child: ChildProcess | null = null

  /**
   * @param program the server
   * @param given another of the shipped files, or one that was made for the users named, and more of its environment
   */
  static async start(program: string, given: Given = {}): Promise<ShippedNats> {
    const server = new ShippedNats()
    const { file = join(repository, 'deploy/nats/nats.conf'), users = [], env = {} } = given
    execFileSync(process.execPath, ['deploy/nats/keys.ts', server.keys, ...users], { cwd: repository })
    await server.#start(program, file, env)
    return server
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`
  }

  /** The file with the seed of a user's key. */
  seedOf(user: string): string {
    return join(this.keys, `${user}.nk`)
  }

  /** A bare connection as a user, as a rogue process would have it that has stolen the key. */
  connectAs(user: string, inboxPrefix: string): Promise<NatsConnection> {
    const seed = new TextEncoder().encode(readFileSync(this.seedOf(user), 'utf8').trim())
    return connect({ servers: this.url, authenticator: nkeyAuthenticator(seed), inboxPrefix, reconnect: false })
  }

  /** Lines in which the server tells that it refused something. */
  refusals(): readonly string[] {
    return this.output.split('\n').filter((line) => line.includes('Violation'))
  }

  async #start(program: string, file: string, more: Readonly<Record<string, string>>): Promise<void> {
    const publicKeys = parseEnv(readFileSync(join(this.keys, 'nats.env'), 'utf8'))
    const flags = ['-c', file, '-p', '-1', '-m', '-1', '-sd', join(this.folder, 'data')]
    const env = { PATH: process.env['PATH'], ...publicKeys, ...more }
    const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'], env })
    this.#child = child
    running.add(child)
    await untilReady(child, (text) => (this.output += text))
    this.port = Number(/Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(this.output)?.[1])
    this.monitorPort = Number(/Starting http monitor on 127\.0\.0\.1:(\d+)/.exec(this.output)?.[1])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child !== null) {
      running.delete(child)
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
