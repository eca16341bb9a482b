/** Longer than any silence that a rule asks about. */
const signsMax = 128

export interface Execution {
  readonly taskId: string
  readonly machineId: string
  outcome: 'running' | 'succeeded' | 'failed'
}

interface Uptime {
  readonly fromMs: number
  untilMs: number
}

/**
 * What really happened, in true time, as nobody inside the simulation can know it: when machines were heard, when the
 * server could listen, and how often each attempt ran.
 */
export class Truth {
  readonly #nowMs: () => number
  readonly #signs = new Map<string, number[]>()
  readonly #uptimes: Uptime[] = []
  readonly executions = new Map<string, Execution>()
  /** Attempts whose machine was told that its result is stored. */
  readonly acknowledged = new Set<string>()
  /** Attempts that began more than once. */
  readonly repeated = new Set<string>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  heard(machineId: string): void {
    const signs = this.#signs.get(machineId)
    if (!signs) return void this.#signs.set(machineId, [this.#nowMs()])
    signs.push(this.#nowMs())
    if (signs.length > 2 * signsMax) signs.splice(0, signsMax)
  }

  serverBegan(): void {
    this.#uptimes.push({ fromMs: this.#nowMs(), untilMs: Number.POSITIVE_INFINITY })
  }

  serverEnded(): void {
    const last = this.#uptimes.at(-1)
    if (last) last.untilMs = Math.min(last.untilMs, this.#nowMs())
  }

  /** The server will do nothing for a while. */
  serverPaused(ms: number): void {
    this.serverEnded()
    this.#uptimes.push({ fromMs: this.#nowMs() + ms, untilMs: Number.POSITIVE_INFINITY })
  }

  /** When a machine was last heard, not looking at the last `withinMs`; null when it never was. */
  lastHeardMs(machineId: string, withinMs = 0): number | null {
    const untilMs = this.#nowMs() - withinMs
    return this.#signs.get(machineId)?.findLast((sign) => sign <= untilMs) ?? null
  }

  /** For how long the server could have heard anything since a moment. */
  listenedMs(sinceMs: number): number {
    const nowMs = this.#nowMs()
    let listenedMs = 0
    for (const { fromMs, untilMs } of this.#uptimes)
      listenedMs += Math.max(0, Math.min(nowMs, untilMs) - Math.max(sinceMs, fromMs))
    return listenedMs
  }

  /** A script really begins. */
  began(taskId: string, machineId: string): Execution {
    if (this.executions.has(taskId)) this.repeated.add(taskId)
    const execution: Execution = { taskId, machineId, outcome: 'running' }
    this.executions.set(taskId, execution)
    return execution
  }
}
