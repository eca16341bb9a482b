import type { Clock, Timer } from '#libs/clock.ts'

const jitterShare = 0.1

/**
 * Calls `beat` again and again, each time after the interval give or take a tenth of it, so that machines that came
 * together do not speak together for ever.
 */
export function startHeartbeat(clock: Clock, everyMs: number, beat: () => void): Disposable {
  let timer: Timer
  const next = () => {
    const shift = (2 * clock.chance() - 1) * jitterShare
    timer = clock.timer(everyMs * (1 + shift), () => {
      next()
      beat()
    })
  }
  next()
  return { [Symbol.dispose]: () => timer.cancel() }
}
