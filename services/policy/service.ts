import type { Recorded } from '#contracts/message.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import { startReactor } from '#libs/reactor.ts'
import type { BacktestSettings } from './backtest/settings.ts'
import { startInbox } from './inbox.ts'
import { Poller } from './provider/poller.ts'
import type { ProviderSource } from './provider/provider.ts'
import { Questions } from './questions.ts'
import { carryOut, undo } from './reactor.ts'
import { Reconciler } from './reconciler.ts'

export interface PolicyServiceSettings {
  /** How often every environment is looked at for what only time brings: removals, quiet periods, retries. */
  readonly sweepMs?: number
  readonly catchUpMs?: number
  /** Whom policies may name as a provider of machines. */
  readonly providers?: readonly ProviderSource[]
  readonly backtest?: Partial<BacktestSettings>
}

export interface Policy extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

/** Decides what follows. Returns once it knows all that was stored when it began. */
export async function startPolicy(platform: Platform, settings: PolicyServiceSettings = {}): Promise<Policy> {
  const { sweepMs = 1_000, catchUpMs = 120_000, providers = [], backtest } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const reconciler = new Reconciler(platform, sweepMs)
  const poller = new Poller(platform, providers, (asked, cause) => reconciler.request(asked, cause))
  const handle = (events: readonly Recorded[]) => {
    poller.follow(events)
    reconciler.follow(events)
  }
  const consumer = stack.use(startConsumer({ name: 'policy', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`policy has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)
  stack.defer(() => reconciler.rest())

  const questions = new Questions(platform, reconciler, { sweepMs, ...(backtest && { settings: backtest }) })
  const inbox = startInbox(platform, reconciler, { poller, questions })
  stack.defer(() => inbox.stop())
  stack.defer(() => questions.stop())
  const carrying = stack.use(startReactor({ reactor: carryOut, ...platform }))
  const undoing = stack.use(startReactor({ reactor: undo, ...platform }))
  reconciler.goLive()
  stack.defer(() => poller.rest())
  poller.goLive()
  let timer = clock.timer(sweepMs, sweep)
  function sweep() {
    reconciler.sweep()
    void poller.sweep()
    timer = clock.timer(sweepMs, sweep)
  }
  stack.defer(() => timer.cancel())
  const resources = stack.move()
  const failure = Promise.race([consumer.failure, carrying.failure, undoing.failure])
  return { failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
