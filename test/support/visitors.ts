/** Visitors of an address who come again and again, each as soon as it was answered, and note what they were told. */
export class Visitors implements AsyncDisposable {
  readonly failures: string[] = []
  /** How many whole answers there were from each version. */
  readonly answers = new Map<string, number>()
  readonly #end = new AbortController()
  readonly #all: readonly Promise<void>[]

  /** @param addresses where each of them comes to */
  constructor(...addresses: readonly string[]) {
    this.#all = addresses.map((address) => this.#visit(address))
  }

  async #visit(address: string): Promise<void> {
    while (!this.#end.signal.aborted) {
      try {
        const response = await fetch(address, { signal: AbortSignal.timeout(30_000) })
        const text = await response.text()
        const [, version] = /^(\S+) \S+$/.exec(text) ?? []
        if (response.status !== 200 || version === undefined) this.failures.push(`${response.status} ${text}`)
        else this.answers.set(version, (this.answers.get(version) ?? 0) + 1)
      } catch (error) {
        this.failures.push(`${String(error)} ${String((error as Error).cause)}`)
      }
    }
  }

  /** Waits for the answers that are still to come. */
  async end(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#all)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end()
  }
}
