import type { EventRow } from '#contracts/eventRow.ts'
import type { Overview } from '#contracts/rows.ts'
import { follow, type LiveState } from './follow.ts'
import { api } from './server.ts'
import { chance, later, nowMs, sleep } from './world.ts'

const tickMs = 1_000

type Listener = (event: EventRow | 'resumed') => void
const listeners = new Set<Listener>()

/** The one connection to the event stream, and the time that relative times are counted from. */
class Live {
  state: LiveState = $state('connecting')
  version: string = $state('')
  now: number = $state(nowMs())

  /** Calls back for each event and for `resumed`, after which anything may have changed. Gives what ends it. */
  listen(listener: Listener): () => void {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Connects and stays connected until what it gives is called. */
  start(): () => void {
    const stop = new AbortController()
    const tell = (event: EventRow | 'resumed') => listeners.forEach((listener) => listener(event))
    void follow(
      {
        newest: () => this.#newest(),
        open: (position, signal) =>
          api.stream('events/stream', { after: position }, { 'last-event-id': String(position) }, signal),
        sleep,
        chance,
        later,
        onState: (state) => void (this.state = state),
        onEvent(event) {
          api.saw(event.position)
          tell(event)
        },
        onResumed: () => tell('resumed'),
      },
      stop.signal,
    )
    void this.#tick(stop.signal)
    return () => stop.abort()
  }

  async #newest(): Promise<number> {
    const { position, version } = await api.get<Overview>('overview', { minPosition: 0 })
    api.cutBack(position)
    this.version = version
    return position
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.now = nowMs()
      await sleep(tickMs, signal)
    }
  }
}

export const live = new Live()
