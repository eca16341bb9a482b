import type { Clock, Timer } from '../clock.ts'
import type { Step, Trouble } from './trouble.ts'

/** A deadline that comes so much later than it should says that this process did not run, not that nobody answered. */
const lateMaxMs = 250

/** One call on its way: how far it has got, and the one deadline that all of it shares. */
export class Way {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #dueMs: number
  readonly #timer: Timer
  readonly #end = new AbortController()
  step: Step = 'lookup'
  /** Resolves when the call is over before its time, and with what; what it has open ends with its signal. */
  readonly cutShort: Promise<Trouble>

  constructor(clock: Clock, timeoutMs: number, cancel: AbortSignal) {
    const { promise, resolve } = Promise.withResolvers<Trouble>()
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#dueMs = clock.steadyMs() + timeoutMs
    this.#timer = clock.timer(timeoutMs, () => resolve(this.#passed()))
    this.cutShort = promise
    const give = () => resolve({ seen: 'fault', code: 'ECANCELED' })
    if (cancel.aborted) give()
    cancel.addEventListener('abort', give, { once: true, signal: this.signal })
  }

  get signal(): AbortSignal {
    return this.#end.signal
  }

  get restMs(): number {
    return Math.max(0, this.#dueMs - this.#clock.steadyMs())
  }

  timer(delayMs: number, run: () => void): Timer {
    return this.#clock.timer(delayMs, run)
  }

  /** What it means that time is up. */
  outOfTime(): Trouble {
    return { seen: 'deadline', step: this.step, timeoutMs: this.#timeoutMs }
  }

  /** Closes all that was opened on the way. */
  end(): void {
    this.#timer.cancel()
    this.#end.abort()
  }

  #passed(): Trouble {
    const lateMs = this.#clock.steadyMs() - this.#dueMs
    return lateMs > lateMaxMs ? { seen: 'stall', lateMs } : this.outOfTime()
  }
}
