/** So many are remembered of an environment: a mass failure that is over brings back very many at once. */
const returnsMax = 20_000

interface Return {
  readonly machineId: string
  readonly domainValue: string | undefined
  readonly at: number
}

/** Machines that came back lately: how many, and when the first and the last of them did; null when none did. */
export interface Back {
  readonly count: number
  readonly firstAt: number | null
  readonly lastAt: number | null
}

/**
 * Machines of one environment that answer again after they had been unavailable, in the order in which they came. Where
 * many come back together, those that are still missing are most likely on their way, and it was us that could not hear.
 */
export class Returns {
  #latest: Return[] = []

  add(back: Return): void {
    this.#latest.push(back)
    if (this.#latest.length > 2 * returnsMax) this.#latest = this.#latest.slice(-returnsMax)
  }

  /**
   * How many machines came back after `sinceMs`; one that comes and goes counts once.
   * @param domainValue only those of this failure domain
   */
  since(sinceMs: number, domainValue?: string): Back {
    const machines = new Set<string>()
    let firstAt: number | null = null
    let lastAt: number | null = null
    // The latest are last, so as few are looked at as there are.
    for (let index = this.#latest.length - 1; index >= 0; index--) {
      const back = this.#latest[index]!
      if (back.at <= sinceMs) break
      if (domainValue !== undefined && back.domainValue !== domainValue) continue
      firstAt = back.at
      lastAt ??= back.at
      machines.add(back.machineId)
    }
    return { count: machines.size, firstAt, lastAt }
  }
}
