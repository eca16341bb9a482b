const heardMax = 10_000

/**
 * Machines that were heard before anybody watched them: a gateway may be quicker than the news of their registration,
 * and without this a newcomer would count as unknown until its next heartbeat.
 */
export class Early {
  readonly #heardAt = new Map<string, number>()

  heard(machineId: string, nowMs: number): void {
    // Said last, forgotten last.
    this.#heardAt.delete(machineId)
    this.#heardAt.set(machineId, nowMs)
    if (this.#heardAt.size > heardMax) this.#heardAt.delete(this.#heardAt.keys().next().value!)
  }

  /** Whether the machine was heard, not before `sinceMs`. That is told once. */
  wasHeard(machineId: string, sinceMs: number): boolean {
    const heardAt = this.#heardAt.get(machineId)
    return this.#heardAt.delete(machineId) && heardAt! >= sinceMs
  }
}
