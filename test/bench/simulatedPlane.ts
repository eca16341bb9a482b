import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventRow } from '#contracts/eventRow.ts'
import type { Overview } from '#contracts/rows.ts'
import type { Standing } from './standing.ts'

/** Remuda, or the least that a server can do that hands out tasks and makes durable what comes back. */
export type PlaneKind = 'remuda' | 'bare'

export interface PlaneOptions {
  readonly machines: number
  /** What every script prints; it takes no time. */
  readonly logLines: number
  readonly logLineChars?: number
}

interface Page {
  readonly items: readonly EventRow[]
  readonly next: string | null
}

const name = 'bench'
const joinRate = 500
const unlimited = ['--anonymous-per-second', '--anonymous-burst', '--requests-per-second', '--requests-burst']
/** Whoever shares this machine may hold it up for a while: that is to have no consequences for machines. */
const patience = { heartbeatEveryMs: '10s', lateAfterMs: '5m', unavailableAfterMs: '10m' }
const policy = { health: patience, automaticDeployments: { enabled: false } }
const script = { id: 'install', kind: 'script', roles: [], script: 'true', window: '100%' }
const waitMaxMs = 300_000
const ends = ['DeploymentSucceeded', 'DeploymentFailed'] as const
/** What there is to read of an end that was no success; a list of outcomes can be long. */
const endCharsMax = 1_000
const lookEveryMs = 100
const bareServer = new URL('bareServer.ts', import.meta.url)
const server = new URL('../../services/main.ts', import.meta.url)
const fleet = new URL('../../services/agent/fleet/main.ts', import.meta.url)
const standing = new URL('standing.ts', import.meta.url)

/** A server and a fleet of simulated machines that has joined it, each in a process of its own. */
export class SimulatedPlane implements AsyncDisposable {
  readonly #kind: PlaneKind
  readonly #folder: string
  readonly #server: ChildProcess
  #fleet: ChildProcess | null = null
  #url = ''
  #deployed = 0

  private constructor(kind: PlaneKind) {
    this.#kind = kind
    this.#folder = mkdtempSync(join(tmpdir(), `remuda-bench-${kind}-`))
    const settings = ['--data', this.#folder, '--port', '0', '--log-level', 'error']
    const limits = unlimited.flatMap((flag) => [flag, '1000000'])
    const [main, flags] = kind === 'bare' ? [bareServer, [this.#folder]] : [server, [...settings, ...limits]]
    this.#server = fork(main, flags, {
      execArgv: ['--expose-gc', '--import', standing.href],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
  }

  static async start(kind: PlaneKind, options: PlaneOptions): Promise<SimulatedPlane> {
    const plane = new SimulatedPlane(kind)
    plane.#url = await plane.#address()
    if (kind === 'remuda') await plane.#prepare()
    plane.#join(options)
    await until(`${options.machines} machines are there`, async () => (await plane.#healthy()) === options.machines)
    return plane
  }

  /** Deploys to all machines at once; answers how many seconds it took until all was over and stored. */
  async deploy(): Promise<number> {
    if (this.#kind === 'bare') {
      const begunMs = performance.now()
      this.#server.send('deploy')
      await once(this.#server, 'message')
      return (performance.now() - begunMs) / 1_000
    }
    const version = `1.0.${(this.#deployed += 1)}`
    await this.#ask('POST', `projects/${name}/releases`, { version })
    using stop = new DisposableStack()
    const done = new AbortController()
    stop.defer(() => done.abort())
    const watch = await Promise.all(ends.map((type) => this.#watch(type, done.signal)))
    const begunMs = performance.now()
    const { id } = await this.#ask<{ id: string }>('POST', 'deployments', {
      ...{ projectId: name, environmentId: name, version },
    })
    const end = await Promise.race(watch.map((about) => about(id)))
    if (!end.includes(ends[0])) throw new Error(`the deployment did not succeed: ${end}`)
    return (performance.now() - begunMs) / 1_000
  }

  /** Listens for events of a type from now on. */
  async #watch(type: string, done: AbortSignal): Promise<(id: string) => Promise<string>> {
    const signal = AbortSignal.any([done, AbortSignal.timeout(waitMaxMs)])
    const heard = await this.#open(`events/stream?type=${type}`, signal)
    return async (id) => {
      let said = ''
      for await (const bytes of heard) {
        said += Buffer.from(bytes).toString()
        if (said.includes(id)) return said.slice(0, endCharsMax)
      }
      throw new Error(`the stream of ${type} has ended`)
    }
  }

  /** What the server takes of this machine, its garbage collected. */
  async standing(): Promise<Standing> {
    this.#server.send('standing')
    return ((await once(this.#server, 'message')) as [Standing])[0]
  }

  async position(): Promise<number> {
    return (await this.#ask<Overview>('GET', 'overview')).position
  }

  /** Everything of a type that was stored behind a position. */
  async *events(type: string, after: number): AsyncGenerator<EventRow> {
    for (let from: string | null = String(after); from !== null;) {
      const page: Page = await this.#ask('GET', `events?type=${type}&after=${from}&limit=100`)
      yield* page.items
      from = page.next
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#fleet, this.#server]) {
      if (child === null || child.exitCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #address(): Promise<string> {
    if (this.#kind === 'bare') {
      const [{ port }] = (await once(this.#server, 'message')) as [{ port: number }]
      return `http://127.0.0.1:${port}`
    }
    let said = ''
    this.#server.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text))
    const found = () => /console +(http:\S+?)\/\s/.exec(said)?.[1]
    await until('the server is up', async () => found() !== undefined)
    return found()!
  }

  async #prepare(): Promise<void> {
    await this.#ask('POST', 'environments', { id: name, policy })
    await this.#ask('POST', 'projects', { id: name })
    await this.#ask('PUT', `projects/${name}/process`, { steps: [script] })
  }

  #join({ machines, logLines, logLineChars = 80 }: PlaneOptions): void {
    const own = ['--server', this.#url, '--data', this.#folder, '--environment', name, '--count', String(machines)]
    const script = ['--script-time', '0', '--log-lines', String(logLines), '--log-line-chars', String(logLineChars)]
    const rest = this.#kind === 'bare' ? ['--token', `rmd_join_e1_${'s'.repeat(43)}`] : []
    const flags = [...own, ...script, ...rest, '--join-rate', String(joinRate)]
    this.#fleet = fork(fleet, flags, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  }

  async #healthy(): Promise<number> {
    if (this.#fleet?.exitCode != null) throw new Error(`the fleet ended with code ${this.#fleet.exitCode}`)
    if (this.#kind === 'bare') return (await this.standing()).machines
    return (await this.#ask<Overview>('GET', 'overview')).machines['healthy'] ?? 0
  }

  async #ask<Body>(method: string, path: string, body?: object): Promise<Body> {
    const headers = { authorization: this.#credential() }
    const sent = body && {
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }
    const response = await fetch(`${this.#url}/v1/${path}`, { method, headers, ...sent })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Body
  }

  async #open(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = { authorization: this.#credential() }
    return (await fetch(`${this.#url}/v1/${path}`, { headers, signal })).body!
  }

  #credential = () => `Bearer ${readFileSync(join(this.#folder, 'admin-token'), 'utf8').trim()}`
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + waitMaxMs
  while (!(await look())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${waitMaxMs} ms in vain until ${what}`)
    await sleep(lookEveryMs)
  }
}
