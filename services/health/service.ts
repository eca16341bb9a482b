import type { Recorded } from '#contracts/message.ts'
import type { HeartbeatSignal } from '#contracts/signals.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import { startConsumer } from '#libs/consume.ts'
import type { Platform } from '#libs/platform.ts'
import type { EventStore } from '#libs/store/store.ts'
import { startInbox } from './inbox.ts'
import { Monitor } from './monitor.ts'
import { aliveCheckpoint, createObservation, type Observation } from './observer/observation.ts'

export interface HealthSettings {
  /** Names this observer in evidence and gaps; stays the same over restarts. */
  readonly observerId?: string
  readonly tickMs?: number
  /** A tick that comes later than this means that the process did not run, and so did not listen. */
  readonly stallMs?: number
  readonly catchUpMs?: number
}

export interface HealthService extends AsyncDisposable {
  /** Resolves with the fault after which the service no longer follows the store; never, as long as all goes on. */
  readonly failure: Promise<Error>
}

const defaultObserverId = 'health'

/** When somebody was last known to listen, by the steady clock of then; 0 when nobody ever did. */
export const lastListenedMs = (store: EventStore, { observerId = defaultObserverId }: HealthSettings = {}) =>
  store.loadCheckpoint(aliveCheckpoint(observerId))

/** Watches who is well. Returns once it knows whom to watch and has closed the gap since its last run. */
export async function startHealth(platform: Platform, settings: HealthSettings = {}): Promise<HealthService> {
  const { observerId = defaultObserverId, catchUpMs = 120_000 } = settings
  const { store, bus, clock, log } = platform
  await using stack = new AsyncDisposableStack()
  const monitor = new Monitor(platform, observerId)
  const handle = (events: readonly Recorded[]) => monitor.follow(events)
  const consumer = stack.use(startConsumer({ name: 'health', store, bus, clock, log, after: 0, handle }))
  const head = await store.head()
  if (!(await consumer.reached(head, catchUpMs)))
    throw new Error(`health has read up to position ${consumer.position} of ${head} in ${catchUpMs} ms`)

  const observation = createObservation(platform, observerId)
  await observation.begin()
  stack.defer(() => observation.stop())
  monitor.goLive()

  const signals = bus.subscribe(heartbeatSignal, ({ payload }) => {
    monitor.hearAll((payload as HeartbeatSignal).machineIds)
  })
  stack.defer(() => signals.stop())
  const inbox = startInbox(platform, monitor)
  stack.defer(() => inbox.stop())
  stack.defer(keepTime(platform, monitor, observation, settings))
  const resources = stack.move()
  return { failure: consumer.failure, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

/** Ticks the watchdog. A late tick is a time in which we did not listen: it is recorded and nobody is charged for it. */
function keepTime(
  { clock, log }: Platform,
  monitor: Monitor,
  observation: Observation,
  { tickMs = 250, stallMs = 5_000 }: HealthSettings,
): () => void {
  let last = clock.steadyMs()
  let timer = clock.timer(tickMs, tick)
  function tick() {
    const now = clock.steadyMs()
    const pauseMs = now - last - tickMs
    if (pauseMs > tickMs) monitor.forgive(pauseMs)
    if (pauseMs > stallMs) {
      log.warn({ pauseMs }, 'the process did not run for a while; no machine is charged for that time')
      observation.stalled(last, now).catch((error: unknown) => log.error({ error }, 'a gap could not be recorded'))
    }
    last = now
    void monitor.tick()
    timer = clock.timer(tickMs, tick)
  }
  return () => timer.cancel()
}
