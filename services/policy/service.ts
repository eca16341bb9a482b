import type { Recorded } from '#contracts/message.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import { startReactor } from '#libs/reactor.ts'
import { startInbox } from './inbox.ts'
import { carryOut, undo } from './reactor.ts'
import { Reconciler } from './reconciler.ts'

export interface PolicyServiceSettings {
  /** How often every environment is looked at for what only time brings: removals, quiet periods, retries. */
  readonly sweepMs?: number
  readonly catchUpMs?: number
}

export interface Policy extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Decides what follows. Returns once it knows all that was stored when it began. */
export async function startPolicy(platform: Platform, settings: PolicyServiceSettings = {}): Promise<Policy> {
  const { sweepMs = 1_000, catchUpMs = 120_000 } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const reconciler = new Reconciler(platform, sweepMs)
  const handle = (events: readonly Recorded[]) => reconciler.follow(events)
  const consumer = stack.use(startConsumer({ name: 'policy', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`policy has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)
  stack.defer(() => reconciler.rest())

  const inbox = startInbox(platform, reconciler)
  stack.defer(() => inbox.stop())
  const carrying = stack.use(startReactor({ reactor: carryOut, ...platform }))
  const undoing = stack.use(startReactor({ reactor: undo, ...platform }))
  reconciler.goLive()
  let timer = clock.timer(sweepMs, sweep)
  function sweep() {
    reconciler.sweep()
    timer = clock.timer(sweepMs, sweep)
  }
  stack.defer(() => timer.cancel())
  const resources = stack.move()
  const failure = Promise.race([consumer.failure, carrying.failure, undoing.failure])
  return { failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
