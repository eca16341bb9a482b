import type { Cause, Recorded } from '#contracts/message.ts'
import { categoryOf, idOf, webhookStream } from '#contracts/subjects.ts'
import { signerOf, type SigningSecret, type WebhookEvent } from '#contracts/webhook.ts'
import type { Notification } from '#contracts/webhookRows.ts'
import { backoffMs } from '#libs/backoff.ts'
import type { Handler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import type { Webhook, WebhookRequest } from './decider.ts'
import { Line } from './line.ts'
import type { Tell } from './lineOptions.ts'
import type { Post, Reply } from './post.ts'
import { Notices } from './reactor.ts'
import { Records } from './records.ts'
import type { DeliveryLimits } from './settings.ts'
import { signedHeaders } from './signature.ts'
import type { Tally } from './tally.ts'

const tellBackoff = { baseMs: 100, delayMaxMs: 10_000 }
const checkpointOf = (webhookId: string) => `notify.${webhookId}`
const unsent = (detail: string): Reply => ({ status: null, retryAfter: null, detail })

export interface DispatchOptions extends Pick<Platform, 'store' | 'clock' | 'log'> {
  readonly handler: Handler<Webhook, WebhookRequest, WebhookEvent>
  readonly vault: Vault | undefined
  readonly post: Post
  readonly limits: DeliveryLimits
  readonly tally: Tally
  /** How far each webhook had come, by the name of its checkpoint. */
  readonly checkpoints: ReadonlyMap<string, number>
}

/** Follows the log and keeps one line for each webhook that is enabled. */
export class Dispatch {
  readonly records: Records
  readonly #options: DispatchOptions
  readonly #notices = new Notices()
  readonly #lines = new Map<string, Line>()
  readonly #ending = new Set<Promise<void>>()
  #position = 0
  #live = false

  constructor(options: DispatchOptions) {
    this.#options = options
    this.records = new Records(options.clock)
    options.tally.waiting = () => [...this.#lines.values()].reduce((sum, { waiting }) => sum + waiting, 0)
  }

  /** How many webhooks there are. */
  get count(): number {
    return this.#notices.count
  }

  line(webhookId: string): Pick<Line, 'waiting' | 'nextAttemptAtMs'> | undefined {
    return this.#lines.get(webhookId)
  }

  take(events: readonly Recorded[]): void {
    for (const event of events) {
      for (const { webhookId, notification } of this.#notices.take(event)) this.#lines.get(webhookId)?.add(notification)
      if (categoryOf(event.meta.stream) === 'webhook') this.#follow(event as Recorded<WebhookEvent>)
      this.#position = event.meta.position
    }
  }

  /** Begins to send: everything that was stored before has come by. */
  goLive(): void {
    this.#live = true
    for (const line of this.#lines.values()) line.goLive()
  }

  /** Keeps how far those have come that have nothing to send, so that a later start has less to look at again. */
  async keep(): Promise<void> {
    const position = this.#position
    await Promise.all([...this.#lines.values()].map((line) => line.passed(position)))
  }

  async close(): Promise<void> {
    await this.keep()
    await Promise.all([...[...this.#lines.values()].map((line) => line.close()), ...this.#ending])
  }

  /** Sends a notification once, signed for this attempt; it never throws. */
  async send(
    webhookId: string,
    webhook: Webhook | undefined,
    notification: Notification,
    cancel: AbortSignal,
    timeoutMs = this.#options.limits.timeoutMs,
  ): Promise<Reply> {
    const { clock, log, post } = this.#options
    if (!webhook?.settings) return unsent('there is no such webhook any more')
    try {
      const secrets = await this.#secretsOf(webhookId, webhook.secrets)
      if (secrets === null) return unsent('its signing secret cannot be read from the vault of this process')
      const body = JSON.stringify(notification)
      const timestampS = Math.floor(clock.wallMs() / 1_000)
      const signed = signedHeaders({ id: notification.id, timestampS, body }, secrets)
      const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8', ...signed }
      return await post({ url: webhook.settings.url, headers, body }, timeoutMs, cancel)
    } catch (error) {
      log.error({ webhookId, error }, 'a notification could not be sent')
      return unsent('this server could not send it; its log says more')
    }
  }

  #follow({ type, data, meta }: Recorded<WebhookEvent>): void {
    const webhookId = idOf(meta.stream)
    switch (type) {
      case 'WebhookCreated':
      case 'WebhookEnabled':
        return this.#open(webhookId, meta.position)
      case 'WebhookChanged':
      case 'WebhookSecretRotated':
        return this.#lines.get(webhookId)?.nudge()
      case 'WebhookDisabled':
        return this.#end(webhookId)
      case 'WebhookDeleted':
        this.records.forget(webhookId)
        return this.#end(webhookId)
      case 'NotificationsDropped':
        return this.#lines.get(webhookId)?.told(data)
    }
  }

  #open(webhookId: string, position: number): void {
    const { store, clock, log, limits, tally, checkpoints } = this.#options
    const name = checkpointOf(webhookId)
    const line = new Line({
      ...{ webhookId, clock, log, limits, tally, records: this.records },
      after: Math.max(position, checkpoints.get(name) ?? 0),
      send: (notification, cancel) => this.send(webhookId, this.#notices.webhook(webhookId), notification, cancel),
      save: (at) => store.saveCheckpoint(name, at),
      tell: (request, causationId, cancel) => this.#tell(request, causationId, cancel),
    })
    this.#lines.set(webhookId, line)
    if (this.#live) line.goLive()
  }

  #end(webhookId: string): void {
    const line = this.#lines.get(webhookId)
    this.#lines.delete(webhookId)
    if (!this.#live || line === undefined) return line?.discard()
    const ending = line.end().finally(() => this.#ending.delete(ending))
    this.#ending.add(ending)
  }

  #tell: Tell = async (request, causationId, cancel) => {
    const { clock, handler, log } = this.#options
    const { webhookId } = request.data
    const commandId = `notify:${clock.id()}`
    const cause: Cause = { actor: 'service:notify', commandId, correlationId: commandId, causationId }
    for (let failures = 1; ; failures++) {
      try {
        await handler.handle(webhookStream(webhookId), request, cause)
        return
      } catch (error) {
        log.error({ webhookId, type: request.type, error }, 'what became of notifications could not be recorded')
        if (cancel.aborted) return
        await clock.sleep(backoffMs(clock, failures, tellBackoff), cancel)
      }
    }
  }

  /** Null when one of them cannot be read: its receiver would turn away what the other alone has signed. */
  async #secretsOf(webhookId: string, versions: readonly SigningSecret[]): Promise<readonly string[] | null> {
    const secrets: string[] = []
    for (const version of versions) {
      const read = await this.#options.vault?.read(signerOf(webhookId), version)
      if (read === undefined || typeof read === 'string') return null
      secrets.push(read.value)
    }
    return secrets
  }
}
