/** A task that has a machine to itself. */
interface Holder {
  readonly deploymentId: string
  readonly taskId: string
}

/** Who holds which machine: one task at a time on each. Who finds one taken is told when it is free. */
export class Machines {
  readonly #holders = new Map<string, Holder>()
  readonly #machineOf = new Map<string, string>()
  readonly #waiting = new Map<string, Set<string>>()

  /** Whether no other deployment holds the machine; when one does, this one is told later. */
  isFree(machineId: string, deploymentId: string): boolean {
    const holder = this.#holders.get(machineId)
    if (holder === undefined || holder.deploymentId === deploymentId) return true
    const waiting = this.#waiting.get(machineId)
    if (waiting === undefined) this.#waiting.set(machineId, new Set([deploymentId]))
    else waiting.add(deploymentId)
    return false
  }

  hold(machineId: string, holder: Holder): void {
    this.#holders.set(machineId, holder)
    this.#machineOf.set(holder.taskId, machineId)
  }

  /** @returns the deployments that have been waiting for the machine */
  release(taskId: string): readonly string[] {
    const machineId = this.#machineOf.get(taskId)
    if (machineId === undefined) return []
    this.#machineOf.delete(taskId)
    // The deployment may have given the machine another task already.
    if (this.#holders.get(machineId)?.taskId !== taskId) return []
    this.#holders.delete(machineId)
    const waiting = [...(this.#waiting.get(machineId) ?? [])]
    this.#waiting.delete(machineId)
    return waiting
  }
}
