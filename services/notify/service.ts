import { WebhookEvent } from '#contracts/webhook.ts'
import { startConsumer } from '#libs/consume.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import type { Vault } from '#libs/vault/vault.ts'
import { webhookDecider } from './decider.ts'
import { Dispatch } from './dispatch.ts'
import { startInbox } from './inbox.ts'
import { createPost, type Post } from './post.ts'
import { deliveryDefaults, type DeliveryLimits } from './settings.ts'
import { Tally } from './tally.ts'

export interface NotifySettings {
  /** Where the signing secrets are: the vault that the front door puts them into. */
  readonly vault?: Vault
  /** What may be done that may not otherwise: `http`, and addresses as `isAllowance` accepts them. */
  readonly allow?: readonly string[]
  readonly limits?: Partial<DeliveryLimits>
  readonly tally?: Tally
  readonly post?: Post
  readonly catchUpMs?: number
  /** How often it is kept how far webhooks have come that have nothing to send. */
  readonly keepMs?: number
}

export interface Notify extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Tells other systems what happens, by webhook. Returns once it knows all that was stored when it began. */
export async function startNotify(platform: Platform, settings: NotifySettings = {}): Promise<Notify> {
  const { vault, allow = [], tally = new Tally(), catchUpMs = 120_000, keepMs = 60_000 } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const handler = createHandler({ store, clock, decider: webhookDecider, schema: WebhookEvent })
  const checkpoints = new Map((await store.listCheckpoints()).map(({ name, position }) => [name, position]))
  const post = settings.post ?? createPost(clock, allow)
  const limits = { ...deliveryDefaults, ...settings.limits }
  const dispatch = new Dispatch({ store, clock, log, handler, vault, post, limits, tally, checkpoints })
  const handle = dispatch.take.bind(dispatch)
  const consumer = stack.use(startConsumer({ name: 'notify', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`notify has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)
  stack.defer(() => dispatch.close())

  const inbox = startInbox(platform, { dispatch, handler, allow, vault, timeoutMs: limits.timeoutMs })
  stack.defer(() => inbox.stop())
  dispatch.goLive()
  let timer = clock.timer(keepMs, keep)
  function keep() {
    void dispatch.keep()
    timer = clock.timer(keepMs, keep)
  }
  stack.defer(() => timer.cancel())
  const resources = stack.move()
  return { failure: consumer.failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
