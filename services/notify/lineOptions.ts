import type { Notification } from '#contracts/webhookRows.ts'
import type { Clock } from '#libs/clock.ts'
import type { Log } from '#libs/log.ts'
import type { WebhookRequest } from './decider.ts'
import type { Reply } from './post.ts'
import type { Records } from './records.ts'
import type { DeliveryLimits } from './settings.ts'
import type { Tally } from './tally.ts'

export interface LineOptions {
  readonly webhookId: string
  readonly clock: Clock
  readonly log: Log
  readonly limits: DeliveryLimits
  readonly records: Records
  readonly tally: Tally
  /** Up to here everything is delivered or given up. */
  readonly after: number
  /** Sends once; it never throws. */
  readonly send: (notification: Notification, cancel: AbortSignal) => Promise<Reply>
  /** Keeps how far the line has come. */
  readonly save: (position: number) => Promise<void>
  readonly tell: Tell
}

/**
 * Has a fact recorded, however long that takes.
 * @param causationId the event whose notification led to it
 */
export type Tell = (request: WebhookRequest, causationId: string, cancel: AbortSignal) => Promise<void>
