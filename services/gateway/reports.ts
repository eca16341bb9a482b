import type { AgentFrame, ServerFrame } from '#contracts/agent.ts'
import type { Answer } from '#contracts/command.ts'
import type { DeploymentCommand } from '#contracts/deployment.ts'
import { backoffMs } from '#libs/backoff.ts'
import type { Platform } from '#libs/platform.ts'

const backoff = { baseMs: 100, delayMaxMs: 5_000 }

export type Report = Extract<AgentFrame, { type: 'task-started' | 'task-log' | 'task-result' }>

export interface ReporterOptions {
  readonly platform: Platform
  /** From the session and never from a frame: a machine speaks for itself alone. */
  readonly machineId: string
  readonly reportsMax: number
  /** The deployment that a task belongs to, where it is known. */
  readonly deploymentOf: (taskId: string) => string | undefined
  readonly send: (frame: ServerFrame) => void
}

/**
 * Carries what a machine says of its tasks to the deployments, one after the other and until each is answered; only
 * then is the machine told that it may forget it. What a slow store cannot take, the machine keeps.
 */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #waiting: Report[] = []
  readonly #stop = new AbortController()
  #isRunning = false

  constructor(options: ReporterOptions) {
    this.#options = options
  }

  /** False when more waits than a machine may have under way. */
  take(report: Report): boolean {
    if (this.#waiting.length >= this.#options.reportsMax) return false
    this.#waiting.push(report)
    if (!this.#isRunning) void this.#run()
    return true
  }

  stop(): void {
    this.#stop.abort()
    this.#waiting.length = 0
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let report = this.#waiting[0]; report && !this.#stop.signal.aborted; report = this.#waiting[0]) {
      const answer = await this.#deliver(report)
      if (answer === null) break
      this.#waiting.shift()
      this.#acknowledge(report, answer)
    }
    this.#isRunning = false
  }

  /** null when the session has ended before there was an answer. */
  async #deliver(report: Report): Promise<Answer | null> {
    const { platform, machineId, deploymentOf } = this.#options
    const { clock, ask, log } = platform
    const deploymentId = deploymentOf(report.taskId) ?? report.deploymentId
    const { command, part } = commandFor(report, machineId, deploymentId)
    const commandId = `${machineId}:${report.taskId}:${part}`
    const cause = {
      actor: `machine:${machineId}`,
      commandId,
      correlationId: deploymentId || commandId,
      causationId: null,
    }
    for (let failures = 1; !this.#stop.signal.aborted; failures++) {
      try {
        return await ask('deployment', command, cause)
      } catch (error) {
        log.warn({ machineId, taskId: report.taskId, failures, error }, 'a report of a machine could not be stored yet')
        await clock.sleep(backoffMs(clock, failures, backoff), this.#stop.signal)
      }
    }
    return null
  }

  /** Also what was refused is not sent again: nobody will ever take it. */
  #acknowledge(report: Report, answer: Answer): void {
    const { platform, machineId, send } = this.#options
    const { type, taskId } = report
    if ('refused' in answer)
      platform.log.warn({ machineId, taskId, type, ...answer }, 'a report of a machine was refused')
    if (type === 'task-log') send({ type: 'log-stored', taskId, chunk: report.chunk })
    if (type === 'task-result') send({ type: 'result-stored', taskId })
  }
}

/** The command that follows from a report, and what tells it from others about the same task. */
function commandFor(
  report: Report,
  machineId: string,
  deploymentId: string,
): { command: DeploymentCommand; part: string } {
  const task = { deploymentId, taskId: report.taskId, machineId }
  switch (report.type) {
    case 'task-started':
      return { command: { type: 'RecordTaskStarted', data: task }, part: 'started' }
    case 'task-log': {
      const { chunk, text } = report
      return { command: { type: 'AppendTaskLog', data: { ...task, chunk, text } }, part: `log:${chunk}` }
    }
    case 'task-result':
      return { command: { type: 'RecordTaskResult', data: { ...task, result: report.result } }, part: 'result' }
  }
}
