import { randomBytes, randomUUIDv7 } from 'node:crypto'
import type { Clock, Timer } from './clock.ts'

/** Node fires a longer timer at once instead of late, so a long delay is waited for in pieces of this size. */
const pieceMaxMs = 2 ** 31 - 1

// `timeOrigin` is the wall clock of the moment the process started and never changes; `now` is monotonic.
const preciseMs = () => performance.timeOrigin + performance.now()
// Whole milliseconds, as instants are stored.
const steadyMs = () => Math.floor(preciseMs())

function timer(delayMs: number, run: () => void): Timer {
  const dueMs = preciseMs() + delayMs
  let handle: NodeJS.Timeout
  const wait = () => {
    const restMs = dueMs - preciseMs()
    if (restMs > pieceMaxMs) handle = setTimeout(wait, pieceMaxMs)
    else handle = setTimeout(run, Math.max(0, Math.ceil(restMs)))
  }
  wait()
  return { cancel: () => clearTimeout(handle) }
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const stop = () => {
      pending.cancel()
      resolve()
    }
    const pending = timer(delayMs, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/** The real world's time, chance and ids: what every process outside the simulation runs on. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  steadyMs,
  timer,
  sleep,
  id: () => randomUUIDv7(),
  chance: () => Math.random(),
  bytes: (count) => randomBytes(count),
}
