import type { EventRow } from '#contracts/eventRow.ts'
import { asProblem, type Problem } from './problem.ts'
import { messagesOf } from './sse.ts'

/** The server says something at least every 15 s; three times that without a byte is a dead connection. */
export const idleMs = 45_000
const retryMinMs = 500
const retryMaxMs = 15_000

export type LiveState = 'connecting' | 'live' | 'waiting'

export interface FollowSettings {
  /** Opens the stream behind `position`; rejects with a Problem. */
  readonly open: (position: number, signal: AbortSignal) => Promise<Response>
  /** The newest position, where the first connection starts, and to which one falls back after a restore. */
  readonly newest: () => Promise<number>
  readonly sleep: (delayMs: number, signal?: AbortSignal) => Promise<void>
  readonly chance: () => number
  readonly later: (delayMs: number, run: () => void) => () => void
  readonly onState: (state: LiveState) => void
  readonly onEvent: (event: EventRow) => void
  /** The stream was interrupted and runs again: whatever is on the screen may be old. */
  readonly onResumed: () => void
}

/** The wait before try number `tries`, in ms: doubled each time, with jitter so that tabs do not come back at once. */
export const retryAfterMs = (tries: number, chance: number): number =>
  Math.round(Math.min(retryMaxMs, retryMinMs * 2 ** (tries - 1)) * (0.5 + chance / 2))

/** Follows the event log until the signal aborts or the credential is refused; resumes where it stopped. */
export async function follow(settings: FollowSettings, signal: AbortSignal): Promise<void> {
  const { newest, sleep, chance, onState, onResumed } = settings
  let position: number | null = null
  let tries = 0
  while (!signal.aborted) {
    onState('connecting')
    try {
      const top = await newest()
      const resumed = position !== null
      // A store restored from a backup counts from below where we stood; what is above it does not exist any more.
      position = Math.min(position ?? top, top)
      await connect(settings, position, signal, {
        opened() {
          tries = 0
          onState('live')
          if (resumed) onResumed()
        },
        reached: (at) => (position = at),
      })
    } catch (fault) {
      if (isFinal(asProblem(fault))) return onState('waiting')
    }
    if (signal.aborted) return
    tries += 1
    onState('waiting')
    await sleep(retryAfterMs(tries, chance()), signal)
  }
}

const isFinal = ({ status }: Problem) => status === 401 || status === 403

interface Watcher {
  opened(): void
  reached(position: number): void
}

/** One connection: returns when the server ends it, throws when it breaks or falls silent. */
async function connect(settings: FollowSettings, after: number, signal: AbortSignal, watcher: Watcher): Promise<void> {
  const silence = new AbortController()
  let cancelIdle = () => {}
  const heard = () => {
    cancelIdle()
    cancelIdle = settings.later(idleMs, () => silence.abort())
  }
  try {
    heard()
    const response = await settings.open(after, AbortSignal.any([signal, silence.signal]))
    if (response.body === null) return
    watcher.opened()
    for await (const { data } of messagesOf(response.body, heard)) {
      const event = eventOf(data)
      if (event === null || event.position <= after) continue
      watcher.reached(event.position)
      settings.onEvent(event)
    }
  } finally {
    cancelIdle()
  }
}

function eventOf(data: string): EventRow | null {
  try {
    const event = JSON.parse(data) as Partial<EventRow> | null
    return typeof event?.position === 'number' && typeof event.type === 'string' ? (event as EventRow) : null
  } catch {
    return null
  }
}
