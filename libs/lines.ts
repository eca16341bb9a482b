interface Waiting<Item, Result> {
  readonly item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

interface Line<Item, Result> {
  /** Items wait to be taken together; a function wants to run alone. */
  readonly waiting: (Waiting<Item, Result> | (() => Promise<void>))[]
}

export interface LinesOptions<Item, Result> {
  /** How much may wait for one key before more is turned away. */
  readonly waitingMax: number
  readonly togetherMax: number
  /** Takes the next items of a key, and answers the first of them, at least one. An `Error` rejects its item alone. */
  work(key: string, items: readonly Item[]): Promise<readonly (Result | Error)[]>
}

/** One line for each key: what waits in it is worked on in order, as much together as there is. */
export class Lines<Item, Result> {
  readonly #options: LinesOptions<Item, Result>
  readonly #lines = new Map<string, Line<Item, Result>>()

  constructor(options: LinesOptions<Item, Result>) {
    this.#options = options
  }

  /** Null when too much waits for this key. */
  join(key: string, item: Item): Promise<Result> | null {
    if ((this.#lines.get(key)?.waiting.length ?? 0) >= this.#options.waitingMax) return null
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    this.#enter(key, { item, resolve, reject })
    return promise
  }

  /** Runs when everything before it is done, and nothing beside it. */
  alone<Value>(key: string, run: () => Promise<Value>): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>()
    this.#enter(key, () => run().then(resolve, reject))
    return promise
  }

  #enter(key: string, entry: Line<Item, Result>['waiting'][number]): void {
    const line = this.#lines.get(key)
    if (line) {
      line.waiting.push(entry)
      return
    }
    const opened = { waiting: [entry] }
    this.#lines.set(key, opened)
    void this.#drain(key, opened)
  }

  async #drain(key: string, { waiting }: Line<Item, Result>): Promise<void> {
    while (waiting.length > 0) {
      const [first] = waiting
      if (typeof first === 'function') {
        waiting.shift()
        await first()
      } else await this.#workOn(key, waiting)
    }
    this.#lines.delete(key)
  }

  async #workOn(key: string, waiting: Line<Item, Result>['waiting']): Promise<void> {
    const { togetherMax, work } = this.#options
    const end = waiting.findIndex((entry, at) => at === togetherMax || typeof entry === 'function')
    const taken = waiting.splice(0, end === -1 ? waiting.length : end) as Waiting<Item, Result>[]
    try {
      const results = await work(
        key,
        taken.map(({ item }) => item),
      )
      for (const [at, result] of results.entries()) {
        if (result instanceof Error) taken[at]!.reject(result)
        else taken[at]!.resolve(result)
      }
      waiting.unshift(...taken.slice(results.length))
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
  }
}
