import type { Clock } from '#libs/clock.ts'
import { backoffMs } from '../backoff.ts'
import { StoreFault } from './store.ts'

const backoff = { baseMs: 20, delayMaxMs: 1_000 }

export interface Patience {
  readonly clock: Clock
  /** How long what fails for a passing reason is tried again, in milliseconds. */
  readonly patienceMs: number
  /** Aborts when the store is closed: then nothing is tried again. */
  readonly closing: AbortSignal
}

/** Does something, again and again while it fails for a reason that passes by itself and patience lasts. */
export async function patientlyWhile<Answer>(
  { clock, patienceMs, closing }: Patience,
  isPassing: (error: unknown) => boolean,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const untilMs = clock.steadyMs() + patienceMs
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (error) {
      const delayMs = backoffMs(clock, failures, backoff)
      if (!isPassing(error) || closing.aborted || clock.steadyMs() + delayMs > untilMs) throw error
      await clock.sleep(delayMs, closing)
    }
  }
}

export const closedFault = (): StoreFault => new StoreFault('The store is closed. Open it again.')
