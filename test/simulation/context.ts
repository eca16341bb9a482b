import type { Clock, Timer } from '#libs/clock.ts'
import { createDice, type Dice } from '#test/support/dice.ts'
import type { VirtualClock } from '#test/support/virtualClock.ts'

/** Timers never fire early and rarely on time: how late they may be, which also decides who is first among equals. */
const lateMaxMs = 2

const nothing: Timer = { cancel() {} }

/**
 * A process in the simulation: owns its timers, its dice and its idea of the time. Killing it is a crash: no timer of
 * it fires any more and nobody who waits in it wakes up, while what it has written stays where it was written.
 */
export class Context {
  readonly name: string
  readonly clock: Clock
  readonly dice: Dice
  readonly #world: VirtualClock
  /** By how much the steady clock of this process differs from true time: its wall clock may have been wrong. */
  readonly #offsetMs: number
  #isDead = false
  #pausedUntilMs = 0
  #ids = 0

  constructor(world: VirtualClock, name: string, seed: number, offsetMs = 0) {
    this.#world = world
    this.name = name
    this.dice = createDice(seed)
    this.#offsetMs = offsetMs
    this.clock = this.#clock()
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Crashes the process. */
  kill(): void {
    this.#isDead = true
  }

  /** Stops the whole process for a while, as when its machine is overloaded: everything due comes late, at once. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#world.steadyMs() + ms)
  }

  get isPaused(): boolean {
    return this.#world.steadyMs() < this.#pausedUntilMs
  }

  /** A promise of this process: once the process is dead it does not settle, since nobody is left to hear of it. */
  async own<Result>(work: Promise<Result>): Promise<Result> {
    try {
      const result = await work
      return this.#isDead ? await never<Result>() : result
    } catch (error) {
      if (this.#isDead) return never<Result>()
      throw error
    }
  }

  timer = (delayMs: number, run: () => void): Timer => {
    if (this.#isDead) return nothing
    const late = this.dice.chance() * lateMaxMs
    let timer = this.#world.timer(delayMs + late, () => fire())
    const fire = () => {
      if (this.#isDead) return
      if (!this.isPaused) return run()
      timer = this.#world.timer(this.#pausedUntilMs - this.#world.steadyMs() + late, () => fire())
    }
    return { cancel: () => timer.cancel() }
  }

  readonly #sleep = (delayMs: number, signal?: AbortSignal): Promise<void> =>
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

  #clock(): Clock {
    const wallMs = () => Math.floor(this.#world.steadyMs() + this.#offsetMs)
    return {
      wallMs,
      steadyMs: wallMs,
      timer: this.timer,
      sleep: this.#sleep,
      id: () => this.dice.uuid(wallMs(), (this.#ids += 1)),
      chance: this.dice.chance,
      bytes: this.dice.bytes,
    }
  }
}

export const never = <Result>(): Promise<Result> => new Promise<Result>(() => {})

/** A seed of its own for each part of the simulation, so that a draw in one part does not change the others. */
export function seedOf(seed: number, ...names: readonly (string | number)[]): number {
  let hash = 2_166_136_261 ^ seed
  for (const character of names.join('/')) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619)
  return hash | 0
}
