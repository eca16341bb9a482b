/** Lets so many through at once; the others wait in the order in which they came. */
export class Berths {
  readonly #atOnceMax: number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax
  }

  /** @param isFirst whether it goes before all that wait */
  async run<Result>(work: () => Promise<Result>, isFirst = false): Promise<Result> {
    if (this.#taken >= this.#atOnceMax)
      await new Promise<void>((resolve) => {
        if (isFirst) this.#waiting.unshift(resolve)
        else this.#waiting.push(resolve)
      })
    else this.#taken += 1
    try {
      return await work()
    } finally {
      // A berth that is handed on stays taken.
      const next = this.#waiting.shift()
      if (next === undefined) this.#taken -= 1
      else next()
    }
  }
}
