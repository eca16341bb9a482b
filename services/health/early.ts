const heardMax = 10_000

interface Heard {
  readonly gatewayId: string
  readonly atMs: number
}

/**
 * Machines that were heard before anybody watched them: a gateway may be quicker than the news of their registration,
 * and without this a newcomer would count as unknown until its next heartbeat.
 */
export class Early {
  readonly #heard = new Map<string, Heard>()

  heard(machineId: string, gatewayId: string, atMs: number): void {
    // Said last, forgotten last.
    this.#heard.delete(machineId)
    this.#heard.set(machineId, { gatewayId, atMs })
    if (this.#heard.size > heardMax) this.#heard.delete(this.#heard.keys().next().value!)
  }

  /** By which gateway the machine was heard, not before `sinceMs`; null when it was not. That is told once. */
  heardBy(machineId: string, sinceMs: number): string | null {
    const heard = this.#heard.get(machineId)
    this.#heard.delete(machineId)
    return heard !== undefined && heard.atMs >= sinceMs ? heard.gatewayId : null
  }
}
