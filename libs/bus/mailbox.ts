import type { Log } from '#libs/log.ts'

export interface MailboxOptions<Item> {
  /** Who owns it, for the log. */
  readonly name: string
  readonly itemsMax: number
  readonly log: Log
  readonly handle: (item: Item) => void | Promise<void>
}

/**
 * A bounded queue in front of one handler. Items are handled one after the other, in a later microtask, so that who
 * puts one in never runs the handler. A handler that throws is logged and the next item is handled; a full box drops
 * what arrives and says so once, until it has been empty again.
 */
export class Mailbox<Item> {
  readonly #options: MailboxOptions<Item>
  #waiting: Item[] = []
  #inHand = 0
  #running = false
  #closed = false
  #complained = false

  constructor(options: MailboxOptions<Item>) {
    this.#options = options
  }

  /** Takes an item for later; false when the box is full or closed and the item was dropped. */
  put(item: Item): boolean {
    if (this.#closed) return false
    if (this.#waiting.length + this.#inHand >= this.#options.itemsMax) return this.#drop()
    this.#waiting.push(item)
    if (this.#running) return true
    this.#running = true
    queueMicrotask(() => this.#run())
    return true
  }

  close(): void {
    this.#closed = true
    this.#waiting = []
  }

  #drop(): false {
    const { name, itemsMax, log } = this.#options
    if (!this.#complained)
      log.warn({ subscriber: name, itemsMax }, 'a bus subscriber is too slow: messages are dropped')
    this.#complained = true
    return false
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const items = this.#waiting
      this.#waiting = []
      this.#inHand = items.length
      for (const item of items) {
        if (this.#closed) return
        try {
          // Most handlers are done when they return: only a promise is worth a turn.
          const handled = this.#options.handle(item)
          if (handled !== undefined) await handled
        } catch (error) {
          this.#options.log.error({ subscriber: this.#options.name, error }, 'a bus subscriber failed on a message')
        }
        this.#inHand -= 1
      }
    }
    this.#running = false
    this.#complained = false
  }
}
