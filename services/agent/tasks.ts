import type { AgentFrame, WorkOrder } from '#contracts/agent.ts'
import type { TaskResult } from '#contracts/taskResult.ts'
import { execute, failed, type TaskNeeds } from './execute.ts'
import type { Entry } from './journal.ts'
import type { StopReason } from './ports.ts'
import type { Reported } from './reports.ts'
import { logFileOf, readTaskLog } from './taskLog.ts'

interface Run {
  readonly order: WorkOrder
  readonly end: AbortController
  /** Set when it is ended before its time. */
  why: string
  readonly ended: PromiseWithResolvers<void>
}

/** The tasks of this machine: each runs at most once, whatever is delivered again and whoever crashes. */
export class Tasks {
  readonly #needs: TaskNeeds
  readonly #running = new Map<string, Run>()
  readonly #waiting: WorkOrder[] = []
  #isStopping = false

  constructor(needs: TaskNeeds) {
    this.#needs = needs
  }

  /** Settles what an earlier process of this agent has left: whatever had begun and not ended was interrupted. */
  async recover(): Promise<void> {
    const { journal, runner, files, reports, log } = this.#needs
    for (const entry of [...journal.entries()]) {
      const { taskId, state } = entry
      // What had not begun is handed out again by the server.
      if (state === 'accepted' || state === 'reported') continue
      for (const chunk of await readTaskLog(files, taskId)) reports.chunk(entry, chunk)
      if (state === 'finished') {
        reports.result(entry, resultOf(entry))
        continue
      }
      await runner.clearAway(taskId)
      log.warn({ taskId }, 'a task was interrupted when the agent stopped; it is reported as failed and not run again')
      await this.#finish(entry, failed('interrupted', 'the agent stopped while it ran; how far it got is not known'))
    }
  }

  /** Takes work. What is known already is not run again: its result is told once more. */
  take(order: WorkOrder): void {
    const { journal, reports, log, settings } = this.#needs
    const { taskId, deploymentId, epoch } = order
    const known = journal.get(taskId)
    if (known?.state === 'finished' || known?.state === 'reported') return reports.result(order, resultOf(known))
    if (this.#running.has(taskId) || this.#waiting.some((task) => task.taskId === taskId)) return
    if (epoch < journal.epoch) return log.warn({ taskId, epoch }, 'a work order from before a restore was left alone')
    if (this.#isStopping || this.#waiting.length >= settings.waitingMax) {
      return log.warn({ taskId }, 'there is no room for another task')
    }
    this.#waiting.push(order)
    void this.#record({ taskId, deploymentId, state: 'accepted', result: null })
    this.#startNext()
  }

  /** Ends a task, or makes sure that it never begins. */
  cancel(taskId: string, reason: string): void {
    const { journal, reports } = this.#needs
    const run = this.#running.get(taskId)
    if (run) return end(run, 'cancelled', reason)
    const at = this.#waiting.findIndex((order) => order.taskId === taskId)
    const [order] = at < 0 ? [] : this.#waiting.splice(at, 1)
    const known = journal.get(taskId)
    if (known?.result) return reports.result(known, known.result)
    // Also for a task never heard of: its order may still be under way, and must find that it is not wanted.
    void this.#finish(order ?? known ?? { taskId, deploymentId: '' }, failed('cancelled', reason))
  }

  /** The server has the result. */
  stored(taskId: string): void {
    const { journal, reports, files, log } = this.#needs
    const known = journal.get(taskId)
    if (!reports.resultStored(taskId) || known?.state !== 'finished') return
    void this.#record({ ...known, state: 'reported' })
    files.remove(logFileOf(taskId)).catch((error: unknown) => log.warn({ taskId, error }, 'a task log is left behind'))
  }

  /** A sign of life for each task that runs. */
  signsOfLife(): readonly AgentFrame[] {
    const orders = [...this.#running.values()].map(({ order }) => order)
    return orders.map(({ taskId, deploymentId }) => ({ type: 'task-alive', taskId, deploymentId }))
  }

  /** Begins nothing more, lets tasks run on for a grace and then ends them. Resolves when all have ended. */
  async stop(): Promise<void> {
    const { clock, settings } = this.#needs
    this.#isStopping = true
    const all = Promise.all([...this.#running.values()].map(({ ended }) => ended.promise))
    const grace = new AbortController()
    await Promise.race([all, clock.sleep(settings.stopGraceMs, grace.signal)])
    grace.abort()
    for (const run of this.#running.values()) end(run, 'interrupted', 'the agent was asked to stop')
    await all
  }

  #startNext(): void {
    while (!this.#isStopping && this.#running.size < this.#needs.settings.tasksMax) {
      const order = this.#waiting.shift()
      if (!order) return
      const run: Run = { order, end: new AbortController(), why: '', ended: Promise.withResolvers<void>() }
      this.#running.set(order.taskId, run)
      void this.#run(run)
    }
  }

  async #run(run: Run): Promise<void> {
    const { log } = this.#needs
    const { taskId, stepId, attempt } = run.order
    log.info({ taskId, stepId, attempt }, 'running a task')
    const result = await execute(run.order, run.end.signal, () => run.why, this.#needs)
    const { outcome, durationMs } = result
    log.info(
      { taskId, outcome, durationMs, ...(outcome === 'failed' ? { detail: result.detail } : {}) },
      'a task has ended',
    )
    await this.#finish(run.order, result)
    this.#running.delete(taskId)
    run.ended.resolve()
    this.#startNext()
  }

  async #finish({ taskId, deploymentId }: Reported, result: TaskResult): Promise<void> {
    await this.#record({ taskId, deploymentId, state: 'finished', result })
    this.#needs.reports.result({ taskId, deploymentId }, result)
  }

  /** A journal that cannot be written costs what a crash costs; the result is still told. */
  async #record(entry: Entry): Promise<void> {
    const { journal, log } = this.#needs
    try {
      await journal.record(entry)
    } catch (error) {
      log.error({ taskId: entry.taskId, state: entry.state, error }, 'the journal cannot be written')
    }
  }
}

function end(run: Run, reason: StopReason, why: string): void {
  run.why ||= why
  run.end.abort(reason)
}

const resultOf = ({ result }: Entry): TaskResult =>
  result ?? failed('interrupted', 'it was reported long ago and its result is no longer kept')
