import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Outcome } from './day.ts'

/** What a worker is asked to play. The defect is named, since code cannot be sent. */
export interface Play {
  readonly seed: number
  readonly machines: number
  readonly hours: number
  readonly defect?: string | undefined
}

const workerFile = new URL('./worker.ts', import.meta.url)

/**
 * Plays many days, as many at once as there are workers, and tells of each when it is over.
 * @param isEnough asked after each: true stops what has not begun
 */
export async function playAll(
  plays: readonly Play[],
  workers: number,
  onOutcome: (outcome: Outcome, play: Play) => void,
  isEnough: () => boolean = () => false,
): Promise<void> {
  const waiting = [...plays]
  const next = () => (isEnough() ? undefined : waiting.shift())
  await Promise.all(Array.from({ length: Math.min(workers, plays.length) }, () => playInTurn(next, onOutcome)))
}

async function playInTurn(
  next: () => Play | undefined,
  onOutcome: (outcome: Outcome, play: Play) => void,
): Promise<void> {
  const worker = new Worker(workerFile)
  try {
    for (let play = next(); play; play = next()) {
      const answer = once(worker, 'message')
      worker.postMessage(play)
      const [outcome] = (await answer) as [Outcome]
      onOutcome(outcome, play)
    }
  } finally {
    await worker.terminate()
  }
}
