import type { DeliveryRow, Notification } from '#contracts/webhookRows.ts'
import type { Clock } from '#libs/clock.ts'
import type { Reply } from './post.ts'

/** So many deliveries of each webhook are remembered: enough to see what is wrong with it. */
const rememberedMax = 50

/** The last deliveries of each webhook, as this process made them. They are no facts, and end with it. */
export class Records {
  readonly #clock: Pick<Clock, 'wallMs'>
  readonly #rows = new Map<string, DeliveryRow[]>()

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#clock = clock
  }

  /** The latest first. */
  of(webhookId: string): readonly DeliveryRow[] {
    return this.#rows.get(webhookId) ?? []
  }

  note(
    webhookId: string,
    { id, type, position, data: { summary } }: Notification,
    attempts: number,
    { status, detail }: Reply,
    outcome: DeliveryRow['outcome'],
  ): void {
    const at = new Date(this.#clock.wallMs()).toISOString()
    const others = this.of(webhookId).filter((row) => row.id !== id)
    const row = { id, type, position, summary, outcome, attempts, status, detail, at }
    this.#rows.set(webhookId, [row, ...others].slice(0, rememberedMax))
  }

  forget(webhookId: string): void {
    this.#rows.delete(webhookId)
  }
}
