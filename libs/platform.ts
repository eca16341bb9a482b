import type { Ask } from './ask.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { EventStore } from './store/store.ts'

/** What every service stands on. The simulation passes other implementations of the same. */
export interface Platform {
  readonly store: EventStore
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  readonly ask: Ask
}
