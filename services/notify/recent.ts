/** Remembers what was noted last, and forgets what was noted first when that gets too much. */
export class Recent<Value> {
  readonly #sizeMax: number
  readonly #values = new Map<string, Value>()

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  get(key: string): Value | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  /** Notes a value; what was known by the key keeps its place in the line. */
  set(key: string, value: Value): void {
    this.#values.set(key, value)
    if (this.#values.size > this.#sizeMax) this.#values.delete(this.#values.keys().next().value!)
  }

  delete(key: string): void {
    this.#values.delete(key)
  }
}
