import type { Clock } from './clock.ts'
import type { EventStore } from './store/store.ts'

const questions = 5

/**
 * A clock whose steady time is that of the store's server, so that instants which one process has recorded mean the same
 * to another one, whatever the clocks of their machines show. It is set once, at the start, and then runs steadily.
 * Where one process has the store for itself, it is the clock itself.
 *
 * The question that took least time says most: the answer was true somewhere in between. (Cristian's algorithm,
 * Distributed Computing 3, 1989.)
 */
export async function sharedClock(clock: Clock, store: Pick<EventStore, 'timeMs'>): Promise<Clock> {
  if (store.timeMs === undefined) return clock
  const answers: { readonly tookMs: number; readonly aheadMs: number }[] = []
  for (let asked = 0; asked < questions; asked++) {
    const before = clock.steadyMs()
    const serverMs = await store.timeMs()
    const tookMs = clock.steadyMs() - before
    answers.push({ tookMs, aheadMs: Math.round(serverMs - (before + tookMs / 2)) })
  }
  const { aheadMs } = answers.reduce((best, answer) => (answer.tookMs < best.tookMs ? answer : best))
  return { ...clock, steadyMs: () => clock.steadyMs() + aheadMs }
}
