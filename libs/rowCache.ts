/**
 * Keeps what was used lately, within a limit: two halves, and when the younger is full the older is let go. That costs
 * one lookup more than a list in order of use, and nothing when it is written.
 */
export class RowCache<Value> {
  readonly #halfMax: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  #forgot = false

  /** @param sizeMax how many entries are kept at most, at least 2 */
  constructor(sizeMax: number) {
    this.#halfMax = Math.floor(sizeMax / 2)
  }

  /** Whether anything was let go since it was last cleared. */
  get forgot(): boolean {
    return this.#forgot
  }

  get(key: string): Value | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const older = this.#old.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: Value): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#halfMax) return
    this.#forgot ||= this.#old.size > 0
    this.#old = this.#young
    this.#young = new Map()
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
    this.#forgot = false
  }
}
