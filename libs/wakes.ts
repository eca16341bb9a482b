const defaultInHandMax = 256

/**
 * Those who are to look again at how things stand: each as often as somebody wakes it, but never twice at once, and once
 * for however many wake it in the same turn. Waking is a hint and not a message: forgetting everything and looking again
 * is always right.
 */
export class Wakes<Why> {
  readonly #look: (id: string, why: Why | null) => Promise<void>
  readonly #inHandMax: number
  readonly #due = new Map<string, Why | null>()
  readonly #inHand = new Map<string, Promise<void>>()
  #live = false

  /**
   * @param look what to do when woken; it must not throw
   * @param inHandMax how many may look at the same time
   */
  constructor(look: (id: string, why: Why | null) => Promise<void>, inHandMax = defaultInHandMax) {
    this.#look = look
    this.#inHandMax = inHandMax
  }

  /** @param why what it follows from; null when nothing new is known, which never hides what is */
  wake(id: string, why: Why | null): void {
    if (why !== null || !this.#due.has(id)) this.#due.set(id, why)
    this.#begin(id)
  }

  /** From here on those who are woken look. Until then they are only noted. */
  goLive(): void {
    this.#live = true
    this.#goOn()
  }

  /** Nobody begins to look any more; resolves when those who are at it have finished. */
  async rest(): Promise<void> {
    this.#live = false
    this.#due.clear()
    await Promise.all(this.#inHand.values())
  }

  /** Those who found no room are begun by whoever ends, so that to be woken costs the same however many wait. */
  #begin(id: string): void {
    if (!this.#live || this.#inHand.size >= this.#inHandMax || this.#inHand.has(id)) return
    this.#inHand.set(id, this.#lookOnce(id))
  }

  #goOn(): void {
    for (const id of this.#due.keys()) {
      if (this.#inHand.size >= this.#inHandMax) return
      this.#begin(id)
    }
  }

  async #lookOnce(id: string): Promise<void> {
    // What else happens in this turn is seen by the same look.
    await Promise.resolve()
    const why = this.#due.get(id) ?? null
    this.#due.delete(id)
    try {
      if (this.#live) await this.#look(id, why)
    } finally {
      this.#inHand.delete(id)
      this.#goOn()
    }
  }
}
