export interface OutstandingTask {
  readonly taskId: string
  readonly deploymentId: string
  readonly machineId: string
  /** Why it is not wanted any more; null as long as it is. */
  readonly cancelReason: string | null
}

/** The tasks that were dispatched and have not ended. */
export class Outstanding {
  readonly #tasks = new Map<string, OutstandingTask>()
  readonly #byMachine = new Map<string, Set<string>>()
  readonly #byDeployment = new Map<string, Set<string>>()

  get(taskId: string): OutstandingTask | undefined {
    return this.#tasks.get(taskId)
  }

  of(machineId: string): readonly OutstandingTask[] {
    return [...(this.#byMachine.get(machineId) ?? [])].map((taskId) => this.#tasks.get(taskId)!)
  }

  add({ taskId, deploymentId, machineId }: Omit<OutstandingTask, 'cancelReason'>): OutstandingTask {
    const task = { taskId, deploymentId, machineId, cancelReason: null }
    this.#tasks.set(taskId, task)
    put(this.#byMachine, machineId, taskId)
    put(this.#byDeployment, deploymentId, taskId)
    return task
  }

  /** The task as it was, or undefined when it had ended before. */
  end(taskId: string): OutstandingTask | undefined {
    const task = this.#tasks.get(taskId)
    if (!task) return undefined
    this.#tasks.delete(taskId)
    take(this.#byMachine, task.machineId, taskId)
    take(this.#byDeployment, task.deploymentId, taskId)
    return task
  }

  endAll(deploymentId: string): void {
    for (const taskId of [...(this.#byDeployment.get(deploymentId) ?? [])]) this.end(taskId)
  }

  cancel(taskId: string, cancelReason: string): OutstandingTask | undefined {
    const task = this.#tasks.get(taskId)
    if (!task) return undefined
    const cancelled = { ...task, cancelReason }
    this.#tasks.set(taskId, cancelled)
    return cancelled
  }
}

function put(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key)
  if (set) set.add(value)
  else sets.set(key, new Set([value]))
}

function take(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key)
  set?.delete(value)
  if (set?.size === 0) sets.delete(key)
}
