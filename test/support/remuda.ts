import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Zone } from './zone.ts'

const root = resolve(import.meta.dirname, '../..')
const serverMain = join(root, 'services/main.ts')
const agentMain = join(root, 'services/agent/main.ts')
const startWithinMs = 60_000
const stopWithinMs = 30_000
const lookEveryMs = 150

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/** A process of ours whose words are kept. */
export class Running {
  readonly child: ChildProcess
  output = ''

  /** @param within a program, with its arguments, that the process is started by */
  constructor(
    main: string,
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
    within: readonly string[] = [],
  ) {
    const [program = process.execPath, ...words] = [...within, process.execPath, main, ...flags]
    this.child = spawn(program, words, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', HOME: tmpdir(), ...env },
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (!this.ended) {
      this.child.kill(signal)
      const late = setTimeout(() => this.child.kill('SIGKILL'), stopWithinMs)
      await once(this.child, 'exit')
      clearTimeout(late)
    }
    return { code: this.child.exitCode, signal: this.child.signalCode, output: this.output }
  }

  async exit(): Promise<Ended> {
    if (!this.ended) await once(this.child, 'exit')
    return { code: this.child.exitCode, signal: this.child.signalCode, output: this.output }
  }
}

/** A real server with a folder of its own, which can be killed and started again, and real agents beside it. */
export class Remuda implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'remuda-test-'))
  readonly agents = new Map<string, Running>()
  server: Running | null = null
  url = ''
  #port = 0

  get data(): string {
    return join(this.folder, 'data')
  }

  static async start(flags: readonly string[] = []): Promise<Remuda> {
    const remuda = new Remuda()
    await remuda.startServer(flags)
    return remuda
  }

  /** @param env beside what every process gets */
  async startServer(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const level = flags.includes('--log-level') ? [] : ['--log-level', 'warn']
    const own = ['--port', String(this.#port), '--data', this.data, ...level]
    const server = new Running(serverMain, [...own, ...flags], env)
    this.server = server
    const said = await until('the server is up', startWithinMs, async () => {
      if (server.ended) throw new Error(`the server ended:\n${server.output}`)
      return /console +(http:\S+?)\/\s/.exec(server.output)?.[1] ?? null
    })
    this.url = said
    this.#port = Number(new URL(said).port)
  }

  /** The next server listens somewhere else. */
  forgetPort(): void {
    this.#port = 0
  }

  /** @param zone where the machine stands, when that is not the server's own network */
  startAgent(
    name: string,
    flags: readonly string[],
    env: Readonly<Record<string, string>> = {},
    zone: Pick<Zone, 'url' | 'within'> = { url: this.url, within: [] },
  ): Running {
    const home = join(this.folder, name)
    mkdirSync(home, { recursive: true })
    const own = ['--server', zone.url, '--name', name, '--data', join(home, 'agent')]
    const agent = new Running(agentMain, [...own, ...flags], { HOME: home, ...env }, zone.within)
    this.agents.set(name, agent)
    return agent
  }

  /** Asks the API as the administrator. @param key by which it is told that the same is asked for once more */
  async call<Body>(
    method: string,
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<{ status: number; body: Body }> {
    const token = (await readFile(join(this.data, 'admin-token'), 'utf8')).trim()
    const json = body === undefined ? {} : { body: JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const once = key === undefined ? {} : { 'idempotency-key': key }
    const headers = { authorization: `Bearer ${token}`, ...type, ...once }
    const response = await fetch(`${this.url}/v1/${path}`, { method, headers, ...json })
    return { status: response.status, body: (await response.json()) as Body }
  }

  /** The same, for what must be accepted. */
  async ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.call<Body>(method, path, body)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async joinToken(environmentId: string, roles: readonly string[]): Promise<string> {
    const wanted = { environmentId, roles, usesMax: 100 }
    return (await this.ask<{ token: string }>('POST', 'enrollments', wanted)).token
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.end()))
    await this.server?.end()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Looks until there is something, and says what was missing when it does not come in time. */
export async function until<Thing>(
  what: string,
  limitMs: number,
  look: () => Promise<Thing | null | undefined | false>,
): Promise<Thing> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const thing = await look()
    if (thing !== null && thing !== undefined && thing !== false) return thing
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain until ${what}`)
    await sleep(lookEveryMs)
  }
}
