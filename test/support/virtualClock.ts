import { setImmediate as turn } from 'node:timers/promises'
import type { Clock, Timer } from '#libs/clock.ts'
import { createDice, type Dice } from './dice.ts'
import { TimerQueue } from './timerQueue.ts'

export interface VirtualClockOptions {
  readonly seed?: number
  /** Where wall and steady clock begin, in milliseconds since 1970. */
  readonly startMs?: number
}

/** A clock that stands still until it is told to go on, with dice that fall the same way for the same seed. */
export const createVirtualClock = (options: VirtualClockOptions = {}): VirtualClock => new VirtualClock(options)

export class VirtualClock implements Clock {
  readonly #dice: Dice
  readonly #timers = new TimerQueue()
  #nowMs: number
  #wallOffsetMs = 0
  #idsMade = 0

  constructor({ seed = 1, startMs = Date.UTC(2026, 0, 1) }: VirtualClockOptions) {
    this.#dice = createDice(seed)
    this.#nowMs = startMs
  }

  /** Timers that are waiting. */
  get timers(): number {
    return this.#timers.size
  }

  wallMs = (): number => Math.floor(this.#nowMs + this.#wallOffsetMs)
  steadyMs = (): number => this.#nowMs
  id = (): string => this.#dice.uuid(this.wallMs(), (this.#idsMade += 1))
  chance = (): number => this.#dice.chance()
  bytes = (count: number): Uint8Array => this.#dice.bytes(count)
  timer = (delayMs: number, run: () => void): Timer => this.#timers.add(this.#nowMs + Math.max(0, delayMs), run)

  sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const stop = () => {
        pending.cancel()
        resolve()
      }
      const pending = this.timer(delayMs, () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      })
      signal?.addEventListener('abort', stop, { once: true })
    })

  /** Settles every promise that can be settled without time passing. */
  async settle(): Promise<void> {
    // The event loop comes to this phase only when no microtask is left.
    await turn()
  }

  /** Lets time pass: runs every timer that falls due, in order, and settles all promises between one and the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.#goTo(untilMs, () => false)
    this.#nowMs = untilMs
  }

  /** Goes from timer to timer until the condition holds. False when `limitMs` have passed, or nothing is left to wait for. */
  async run(until: () => boolean, limitMs: number): Promise<boolean> {
    await this.#goTo(this.#nowMs + limitMs, until)
    return until()
  }

  /** Moves the wall clock, as an operator or a time server would: no timer and no deadline may notice. */
  stepWall(ms: number): void {
    this.#wallOffsetMs += ms
  }

  async #goTo(untilMs: number, isEnough: () => boolean): Promise<void> {
    await this.settle()
    await inTurns(() => {
      const next = isEnough() ? undefined : this.#timers.next()
      if (!next || next.dueMs > untilMs) return false
      this.#timers.take()
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.run()
      return true
    })
    await this.settle()
  }
}

const turnsAtOnceMax = 1_024

/**
 * Takes steps until one says that it was the last, and settles every promise between one and the next. The event loop
 * runs all microtasks between two callbacks of one phase, so asking for many turns at once saves going round for each.
 */
function inTurns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const take = () => {
      if (isOver) return
      try {
        isOver = !step()
        if (isOver) resolve()
      } catch (error) {
        isOver = true
        reject(error)
      }
    }
    const ask = (turns: number) => {
      if (isOver) return
      for (let turn = 0; turn < turns; turn++) setImmediate(take)
      setImmediate(ask, Math.min(turnsAtOnceMax, turns * 4))
    }
    ask(1)
  })
}
