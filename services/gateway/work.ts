import { WorkOrder, type ServerFrame } from '#contracts/agent.ts'
import type { TaskLeaseSignal } from '#contracts/signals.ts'
import { taskLeaseSignal } from '#contracts/subjects.ts'
import { backoffMs } from '#libs/backoff.ts'
import type { Platform } from '#libs/platform.ts'
import type { Outstanding, OutstandingTask } from './outstanding.ts'

const strangeMax = 100
const backoff = { baseMs: 100, delayMaxMs: 5_000 }

export interface WorkOptions {
  readonly platform: Platform
  readonly machineId: string
  readonly tasks: Outstanding
  readonly send: (frame: ServerFrame) => void
}

/** Hands a machine its work, for as long as its session lasts. */
export class Work {
  readonly #options: WorkOptions
  readonly #stop = new AbortController()
  /** Said to be running although nobody waits for them: forgotten by now, or not yet heard of here. */
  readonly #strange = new Set<string>()

  constructor(options: WorkOptions) {
    this.#options = options
  }

  /** Gets the work order and sends it, unless the task has ended or been cancelled by then. */
  async handOut({ taskId, deploymentId, cancelReason }: OutstandingTask): Promise<void> {
    if (cancelReason !== null) return this.cancel(taskId, cancelReason)
    const order = await this.#order(taskId, deploymentId)
    const task = this.#options.tasks.get(taskId)
    if (order === null || task === undefined || this.#stop.signal.aborted) return
    if (task.cancelReason === null) this.#options.send({ type: 'run', order })
  }

  cancel(taskId: string, reason: string): void {
    this.#options.send({ type: 'cancel', taskId, reason })
  }

  /** The machine says that it still runs a task. Another machine's task is as strange as one that nobody knows. */
  alive(taskId: string): void {
    const { platform, machineId, tasks } = this.#options
    const task = tasks.get(taskId)
    if (task?.machineId !== machineId) return this.#strangeTask(taskId)
    const signal: TaskLeaseSignal = { deploymentId: task.deploymentId, taskId, machineId }
    platform.bus.publish(taskLeaseSignal, signal)
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Ends what a machine still runs when it has said so twice and nobody waits for it: once may be mere haste. */
  #strangeTask(taskId: string): void {
    if (this.#strange.has(taskId)) return this.cancel(taskId, 'the deployment no longer waits for this task')
    if (this.#strange.size >= strangeMax) this.#strange.clear()
    this.#strange.add(taskId)
  }

  async #order(taskId: string, deploymentId: string): Promise<WorkOrder | null> {
    const { platform, machineId, tasks } = this.#options
    const { clock, ask, log } = platform
    for (let failures = 1; !this.#stop.signal.aborted && tasks.get(taskId); failures++) {
      const commandId = clock.id()
      const cause = { actor: 'service:gateway', commandId, correlationId: deploymentId, causationId: null }
      try {
        const answer = await ask(
          'deployment',
          { type: 'GetWorkOrder', data: { deploymentId, taskId, machineId } },
          cause,
        )
        if (!('refused' in answer)) return WorkOrder.parse(answer.result['order'])
        log.warn({ machineId, taskId, ...answer }, 'a task cannot be handed out')
        return null
      } catch (error) {
        log.warn({ machineId, taskId, failures, error }, 'a work order could not be had yet')
        await clock.sleep(backoffMs(clock, failures, backoff), this.#stop.signal)
      }
    }
    return null
  }
}
