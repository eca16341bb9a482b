import type { WebhookEvent } from '#contracts/webhook.ts'
import type { Notification } from '#contracts/webhookRows.ts'
import type { Clock, Timer } from '#libs/clock.ts'
import type { Tell } from './lineOptions.ts'
import type { Tally } from './tally.ts'

export type Dropped = Extract<WebhookEvent, { type: 'NotificationsDropped' }>['data']

/** A full queue drops one for each that comes: they are told of together. */
const togetherMs = 5_000

interface DropsOptions {
  readonly webhookId: string
  readonly clock: Clock
  readonly tally: Tally
  readonly tell: Tell
}

/** What a receiver will not get is recorded, so that nobody believes that it was told. */
export class Drops {
  readonly #options: DropsOptions
  readonly #cancel: AbortSignal
  readonly #untold = new Map<Dropped['cause'], { readonly data: Dropped; readonly lastId: string }>()
  #live = false
  #timer: Timer | null = null
  #telling: Promise<void> = Promise.resolve()

  constructor(options: DropsOptions, cancel: AbortSignal) {
    this.#options = options
    this.#cancel = cancel
  }

  add(cause: Dropped['cause'], { id, position }: Pick<Notification, 'id' | 'position'>, detail: string): void {
    const { webhookId, clock } = this.#options
    const before = this.#untold.get(cause)?.data
    const { count = 0, firstPosition = position } = before ?? {}
    const data = { webhookId, cause, count: count + 1, firstPosition, lastPosition: position, detail }
    this.#untold.set(cause, { data: { ...data, at: clock.steadyMs() }, lastId: id })
    this.#soon()
  }

  /** Takes it that these are told of, where it is exactly these; told twice is better than never. */
  told({ cause, count, firstPosition, lastPosition }: Dropped): void {
    const untold = this.#untold.get(cause)?.data
    const isTold = untold?.count === count && untold.firstPosition === firstPosition
    if (isTold && untold.lastPosition === lastPosition) this.#untold.delete(cause)
  }

  /** What is found to be dropped while the log is read again is told of only if it still holds at the end of it. */
  goLive(): void {
    this.#live = true
    if (this.#untold.size > 0) this.#soon()
  }

  /** Resolves when all of it is recorded. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    if (!this.#live) return Promise.resolve()
    const untold = [...this.#untold.values()]
    this.#untold.clear()
    const { tell, tally } = this.#options
    this.#telling = this.#telling.then(async () => {
      for (const { data, lastId } of untold) {
        tally.count('dropped', data.count)
        await tell({ type: 'TellDropped', data }, lastId, this.#cancel)
      }
    })
    return this.#telling
  }

  #soon(): void {
    if (this.#live) this.#timer ??= this.#options.clock.timer(togetherMs, () => void this.flush())
  }
}
