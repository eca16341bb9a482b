import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { openPostgresStore } from '#libs/store/postgres.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { postgresPrograms } from './postgresPrograms.ts'
import type { StoreHome } from './store.ts'

const execute = promisify(execFile)
const readyMs = 60_000
const pauseMs = 50
/** For the hook that starts a server, on a machine that has much else to do. */
export const startMs = 2 * readyMs

export interface UrlParts {
  readonly schema?: string
  readonly database?: string
  readonly user?: string
  readonly password?: string
  /** The folder of the socket, when it is not the server's own. */
  readonly host?: string
}

/** A server of the tests' own, in a folder that is gone afterwards. It writes durably, as it has to in earnest. */
export class PostgresServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-pg-'))
  #process: ChildProcess | null = null
  #names = 0

  /** Makes a server and starts it. */
  static async create(): Promise<PostgresServer> {
    const server = new PostgresServer()
    await server.#initialise()
    await server.start()
    return server
  }

  /** Makes a server that follows this one and only reads, until it is told to take over, and starts it. */
  async createStandby(): Promise<PostgresServer> {
    const standby = new PostgresServer()
    standby.#belongToServer()
    const parameters = ['-D', standby.#data, '-h', this.folder, '-U', 'postgres', '-R', '-c', 'fast', '--no-sync']
    await execute(program('pg_basebackup'), parameters, { ...unprivileged(), cwd: standby.folder, timeout: readyMs })
    await standby.start()
    return standby
  }

  /** A URL that goes through the socket: as the superuser `postgres`, who needs no password, or as another user. */
  url({ schema, database = 'postgres', user = 'postgres', password, host = this.folder }: UrlParts = {}): string {
    const params = new URLSearchParams({ host, ...(schema && { schema }) })
    return `postgres://${user}${password === undefined ? '' : `:${password}`}@/${database}?${params}`
  }

  /** A name that nothing else on this server has. */
  name(): string {
    return `name_${++this.#names}`
  }

  /** Runs a statement as the superuser and answers its rows. */
  async run(sql: string, parts?: UrlParts): Promise<readonly Record<string, unknown>[]> {
    const client = new Client(this.url(parts))
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }

  /** Starts the server and waits until it answers. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a')
    const settings = { unix_socket_directories: this.folder, listen_addresses: '', shared_buffers: '32MB' }
    const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const started = spawn(program('postgres'), ['-D', this.#data, ...parameters], {
      ...unprivileged(),
      cwd: this.folder,
      stdio: ['ignore', log, log],
    })
    process.once('exit', () => started.kill('SIGQUIT'))
    this.#process = started
    const untilMs = performance.now() + readyMs
    for (;;) {
      const failure = await this.run('SELECT 1').then(
        () => null,
        (error: Error) => error,
      )
      if (failure === null) return
      if (performance.now() > untilMs || started.exitCode !== null)
        throw new Error(`PostgreSQL did not start: ${readFileSync(join(this.folder, 'log'), 'utf8')}`, {
          cause: failure,
        })
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  /** Ends the server: `fast` after a last checkpoint, `immediate` as in a crash. */
  async stop(how: 'fast' | 'immediate'): Promise<void> {
    const running = this.#process
    this.#process = null
    if (running === null || running.exitCode !== null) return
    const ended = new Promise((resolve) => running.once('exit', resolve))
    running.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate')
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #initialise(): Promise<void> {
    this.#belongToServer()
    // What is written before the server runs need not survive a crash.
    const parameters = [
      '-D',
      this.#data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
    ]
    await execute(program('initdb'), parameters, { ...unprivileged(), cwd: this.folder, timeout: readyMs })
    const access = ['local all,replication postgres trust', 'local all all scram-sha-256']
    writeFileSync(join(this.#data, 'pg_hba.conf'), `${access.join('\n')}\n`)
  }

  #belongToServer(): void {
    const { uid, gid } = unprivileged()
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid)
  }

  get #data(): string {
    return join(this.folder, 'data')
  }
}

/** A schema of its own on a server, and the backups made of it. */
export function postgresHome(server: PostgresServer): StoreHome {
  const schema = server.name()
  const databases = new Map<string, string>()
  return {
    open: () => openPostgresStore({ url: server.url({ schema }), clock }),
    target: (name) => join(server.folder, `${schema}-${name}`),
    async restore(target) {
      const database = databases.get(target) ?? (await restored(server, target))
      databases.set(target, database)
      return openPostgresStore({ url: server.url({ schema, database }), clock })
    },
    // The server takes everything with it.
    [Symbol.dispose]() {},
  }
}

async function restored(server: PostgresServer, target: string): Promise<string> {
  const database = server.name()
  await server.run(`CREATE DATABASE ${database}`)
  await execute(program('pg_restore'), ['--exit-on-error', `--dbname=${server.url({ database })}`, target])
  return database
}

const program = (name: string): string => join(postgresPrograms ?? '', name)

/** PostgreSQL refuses to run as root: then it runs as the user that its package made, or as nobody. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const [, , uid, gid] = ['postgres', 'nobody'].map((name) => users.find(([user]) => user === name)).find(Boolean) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}
