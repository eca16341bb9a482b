import type { AgentFrame } from '#contracts/agent.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import type { Chunk } from './taskLog.ts'

export interface Reported {
  readonly taskId: string
  readonly deploymentId: string
}

interface Report extends Reported {
  /** The script runs, as far as is known; told again with every connection until there is a result. */
  isRunning: boolean
  isStartTold: boolean
  /** Not yet stored, in order. */
  readonly chunks: Chunk[]
  /** How many of `chunks` are under way. */
  sent: number
  result: TaskResult | null
  isResultSent: boolean
}

/**
 * What the server has still to be told of tasks. Everything stays here until the server says that it is stored, and
 * goes out again, in order, with every new connection.
 */
export class Reports {
  readonly #logsInFlightMax: number
  readonly #reports = new Map<string, Report>()
  #send: ((frame: AgentFrame) => void) | null = null

  /** @param logsInFlightMax chunks of one task that may be under way without an acknowledgement */
  constructor({ logsInFlightMax }: { logsInFlightMax: number }) {
    this.#logsInFlightMax = logsInFlightMax
  }

  /** Nothing is left to be delivered. */
  get isEmpty(): boolean {
    return this.#reports.size === 0
  }

  /** There is a connection: all that is not known to be stored goes out through it. */
  attach(send: (frame: AgentFrame) => void): void {
    this.#send = send
    for (const report of this.#reports.values()) {
      report.sent = 0
      report.isStartTold = report.isResultSent = false
      this.#push(report)
    }
  }

  detach(): void {
    this.#send = null
  }

  started(task: Reported): void {
    const report = this.#open(task)
    report.isRunning = true
    this.#push(report)
  }

  chunk(task: Reported, chunk: Chunk): void {
    const report = this.#open(task)
    report.chunks.push(chunk)
    this.#push(report)
  }

  result(task: Reported, result: TaskResult): void {
    const report = this.#open(task)
    // Asked for again while it is under way: the answer to the first asking is the answer to both.
    if (report.result !== null && report.isResultSent) return
    report.isRunning = false
    report.result = result
    this.#push(report)
  }

  logStored(taskId: string, chunk: number): void {
    const report = this.#reports.get(taskId)
    if (!report) return
    const stored = report.chunks.findLastIndex((waiting) => waiting.chunk <= chunk) + 1
    report.chunks.splice(0, stored)
    report.sent = Math.max(0, report.sent - stored)
    this.#push(report)
  }

  /** True when this was news. */
  resultStored(taskId: string): boolean {
    return this.#reports.get(taskId)?.result != null && this.#reports.delete(taskId)
  }

  #open({ taskId, deploymentId }: Reported): Report {
    const known = this.#reports.get(taskId)
    if (known) return known
    const fresh = { isRunning: false, isStartTold: false, sent: 0, result: null, isResultSent: false }
    const report: Report = { taskId, deploymentId, chunks: [], ...fresh }
    this.#reports.set(taskId, report)
    return report
  }

  /** Sends what may go now: the start, then the log in order, and the result when all of the log is under way. */
  #push(report: Report): void {
    const send = this.#send
    if (!send) return
    const { taskId, deploymentId, chunks, result } = report
    if (report.isRunning && !report.isStartTold) {
      report.isStartTold = true
      send({ type: 'task-started', taskId, deploymentId })
    }
    while (report.sent < Math.min(chunks.length, this.#logsInFlightMax)) {
      send({ type: 'task-log', taskId, deploymentId, ...chunks[report.sent++]! })
    }
    if (!result || report.isResultSent || report.sent < chunks.length) return
    report.isResultSent = true
    send({ type: 'task-result', taskId, deploymentId, result })
  }
}
