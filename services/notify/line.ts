import type { Notification } from '#contracts/webhookRows.ts'
import { backoffMs } from '#libs/backoff.ts'
import { Drops, type Dropped } from './drops.ts'
import type { LineOptions } from './lineOptions.ts'
import { verdictOf } from './verdict.ts'

interface Waiting {
  readonly notification: Notification
  readonly sinceMs: number
  attempts: number
}

/**
 * What waits for one receiver, sent one after the other: so what happened to one deployment arrives in order, and a
 * receiver that is slow or gone is waited for by its own notifications alone. How far it has come is kept in the store;
 * what waits is not, since it is found again in the log.
 */
export class Line {
  readonly #options: LineOptions
  readonly #stop = new AbortController()
  readonly #waiting: Waiting[] = []
  readonly #drops: Drops
  #cursor: number
  #givenUpInARow = 0
  #failuresInARow = 0
  #nextAttemptAtMs: number | null = null
  #pause = new AbortController()
  #running: Promise<void> | null = null
  #live = false

  constructor(options: LineOptions) {
    this.#options = options
    this.#cursor = options.after
    this.#drops = new Drops(options, this.#stop.signal)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** By the clock of the wall, for people; null when nothing is being waited for. */
  get nextAttemptAtMs(): number | null {
    return this.#nextAttemptAtMs
  }

  /** Takes the next notification. What was delivered before comes by again when the log is read again. */
  add(notification: Notification): void {
    if (this.#stop.signal.aborted || notification.position <= this.#cursor) return
    this.#waiting.push({ notification, sinceMs: this.#options.clock.steadyMs(), attempts: 0 })
    if (this.#waiting.length > this.#options.limits.waitingMax) {
      // The first is under way, or was when the log was not read again but written: both times the same are dropped.
      const [oldest] = this.#waiting.splice(1, 1)
      if (oldest !== undefined) this.#drops.add('queue-full', oldest.notification, 'more came than may wait')
    }
    this.#run()
  }

  /** What was dropped before is found to be dropped when the log is read again, and is told of once. */
  told(dropped: Dropped): void {
    if (!this.#live) this.#drops.told(dropped)
  }

  /** From here on it sends. Until then what comes only waits. */
  goLive(): void {
    this.#live = true
    this.#drops.goLive()
    this.#run()
  }

  /** Tries at once what was to be tried later: something about the webhook has changed. */
  nudge(): void {
    this.#failuresInARow = 0
    this.#pause.abort()
  }

  /** Everything up to a position of the log has come by: when nothing waits, that is how far the line has come. */
  async passed(position: number): Promise<void> {
    if (this.#waiting.length === 0 && position > this.#cursor) await this.#advance(position)
  }

  /** Sends nothing more; what waits is found again by the next one. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#pause.abort()
    await this.#running
    await this.#drops.flush()
  }

  /** What was only read again, and is over already: nothing follows from it any more. */
  discard(): void {
    this.#stop.abort()
    this.#waiting.length = 0
  }

  /** Sends nothing more, and what waits is told to be lost. */
  async end(): Promise<void> {
    this.#dropAll()
    await this.close()
  }

  #run(): void {
    if (this.#stop.signal.aborted || !this.#live || this.#running !== null || this.#waiting.length === 0) return
    this.#running = this.#sendAll().finally(() => {
      this.#running = null
      this.#run()
    })
  }

  async #sendAll(): Promise<void> {
    for (let [first] = this.#waiting; first && !this.#stop.signal.aborted; [first] = this.#waiting) {
      await this.#attempt(first)
    }
  }

  async #attempt(first: Waiting): Promise<void> {
    const { clock, limits, records, tally } = this.#options
    first.attempts += 1
    const reply = await this.#options.send(first.notification, this.#stop.signal)
    if (this.#stop.signal.aborted && reply.status === null) return
    const verdict = verdictOf(reply, clock.wallMs(), limits)
    tally.count(verdict.outcome)
    const isOver = verdict.outcome === 'failed' && clock.steadyMs() - first.sinceMs >= limits.giveUpMs
    records.note(
      this.#options.webhookId,
      first.notification,
      first.attempts,
      reply,
      isOver ? 'gave-up' : verdict.outcome,
    )
    if (verdict.outcome === 'delivered') return this.#delivered(first)
    if (verdict.outcome === 'gone') return this.#disable('receiver', `${reply.detail}: it is gone for good`, first)
    if (isOver) return this.#giveUp(first, reply.detail)
    await this.#wait(verdict.notBeforeMs)
  }

  async #delivered({ notification }: Waiting): Promise<void> {
    this.#waiting.shift()
    this.#failuresInARow = this.#givenUpInARow = 0
    await this.#advance(notification.position)
  }

  async #giveUp(first: Waiting, detail: string): Promise<void> {
    const { notification } = first
    const { failuresMax } = this.#options.limits
    this.#waiting.shift()
    this.#drops.add('gave-up', notification, detail)
    await this.#drops.flush()
    await this.#advance(notification.position)
    this.#givenUpInARow += 1
    if (this.#givenUpInARow < failuresMax) return
    await this.#disable(
      'failures',
      `${this.#givenUpInARow} notifications in a row were given up; last: ${detail}`,
      first,
    )
  }

  async #disable(by: 'receiver' | 'failures', reason: string, { notification }: Waiting): Promise<void> {
    const { webhookId, tell, log } = this.#options
    log.warn({ webhookId, by, reason }, 'a webhook is disabled')
    this.#dropAll()
    await this.#drops.flush()
    await tell({ type: 'StopWebhook', data: { webhookId, by, reason } }, notification.id, this.#stop.signal)
    // What has come meanwhile is not for a webhook that is disabled either.
    this.#dropAll()
    this.#stop.abort()
  }

  async #wait(notBeforeMs: number): Promise<void> {
    const { clock, limits } = this.#options
    this.#failuresInARow += 1
    const pauseMs = Math.ceil(Math.max(notBeforeMs, backoffMs(clock, this.#failuresInARow, limits)))
    this.#pause = new AbortController()
    if (this.#stop.signal.aborted) return
    this.#nextAttemptAtMs = clock.wallMs() + pauseMs
    await clock.sleep(pauseMs, this.#pause.signal)
    this.#nextAttemptAtMs = null
  }

  #dropAll(): void {
    for (const { notification } of this.#waiting.splice(0))
      this.#drops.add('disabled', notification, 'the webhook is disabled')
  }

  async #advance(position: number): Promise<void> {
    this.#cursor = position
    try {
      await this.#options.save(position)
    } catch (error) {
      // Then it is sent once more after a restart, with the id it had.
      this.#options.log.warn({ error, position }, 'how far a webhook has come could not be kept')
    }
  }
}
