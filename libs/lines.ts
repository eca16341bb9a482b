interface Waiting<Item, Result> {
  readonly item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

type Alone = () => Promise<void>

interface Line<Item, Result> {
  /** Items wait to be taken together; a function wants to run alone. */
  readonly waiting: (Waiting<Item, Result> | Alone)[]
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

  /** Runs when everything before it is done, and perhaps some of what is behind it, and nothing beside it. */
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
    const taken = takeItems(waiting, togetherMax)
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

/**
 * Takes the first items, also those behind functions: where thousands of both come in turns, each function would else
 * cut off what can be taken together. The functions come next, so none of them waits for ever.
 */
function takeItems<Item, Result>(waiting: Line<Item, Result>['waiting'], togetherMax: number) {
  const taken: Waiting<Item, Result>[] = []
  const passed: Alone[] = []
  let at = 0
  for (; at < waiting.length && taken.length < togetherMax; at++) {
    const entry = waiting[at]!
    if (typeof entry === 'function') passed.push(entry)
    else taken.push(entry)
  }
  waiting.splice(0, at, ...passed)
  return taken
}
