import type { Context } from './context.ts'
import type { Machine } from './machine.ts'
import type { Profile } from './profile.ts'
import type { Server } from './server.ts'
import type { Truth } from './truth.ts'

const hopsMax = 40
const reviveMs = 5_000
const appendWaitMaxMs = 60_000
/** Commands come in bursts, each of which may be the last that is answered. */
const answersMax = 4
const answerWaitMaxMs = 60 * 60_000
const pauseMinMs = 10_000
const pauseMaxMs = 120_000
/** A pause is noticed by a tick that comes late, so that much of it may be counted as listening. */
const pauseBlurMs = 2_500

/** Writes into the diary what befalls whom. */
export type Note = (what: string) => void

/** Waits of random length with a given mean, as between things that happen independently of each other. */
export const spell = ({ dice }: Context, meanMs: number): number => -Math.log(1 - dice.chance()) * meanMs

/** Does something again and again, at random, until it is told to be calm. */
export async function every(
  stage: Context,
  meanMs: number | null,
  calm: AbortSignal,
  act: () => void | Promise<void>,
): Promise<void> {
  while (meanMs !== null && !calm.aborted) {
    await stage.clock.sleep(spell(stage, meanMs), calm)
    if (!calm.aborted) await act()
  }
}

export interface ServerChaosOptions {
  readonly stage: Context
  readonly server: Server
  readonly truth: Truth
  readonly profile: Profile
  readonly machines: () => Iterable<Machine>
  /** Calls back at the next append to the store, in the middle of it. */
  readonly onNextAppend: (act: () => void) => void
  /** Calls back when a person has just got an answer. */
  readonly onNextAnswer: (act: () => void) => void
  readonly note: Note
}

/** Brings the server down, in good order or in none, and up again. */
export class ServerChaos {
  readonly #options: ServerChaosOptions
  #isBusy = false

  constructor(options: ServerChaosOptions) {
    this.#options = options
  }

  run(calm: AbortSignal): void {
    const { stage, profile } = this.#options
    void every(stage, profile.serverCrashEveryMs, calm, () => this.#alone(() => this.#crash()))
    void every(stage, profile.serverStopEveryMs, calm, () => this.#alone(() => this.restart()))
    void every(stage, profile.serverPauseEveryMs, calm, () => this.#pause())
  }

  /** Starts the server, and has it die while it starts now and then. */
  async start(mayFail = true): Promise<void> {
    const { stage, server, truth, profile, note } = this.#options
    const { chance } = stage.dice
    for (;;) {
      note('the server starts')
      truth.serverBegan()
      const started = server.start((2 * chance() - 1) * profile.wallErrorMaxMs)
      if (mayFail && profile.serverCrashEveryMs !== null && chance() < 0.2) await hops(Math.floor(chance() * 400))
      else {
        await started
        if (server.isUp) return
      }
      this.#down()
      await stage.clock.sleep(chance() * 5_000)
    }
  }

  /** Stops the server in good order and starts it again. */
  async restart(downMs = this.#downMs(), mayFail = true): Promise<void> {
    this.#options.note('the server is asked to stop')
    await this.#options.server.stop()
    this.#down()
    await this.#options.stage.clock.sleep(downMs)
    await this.start(mayFail)
  }

  /** Somebody looks after a server that has given up, and starts it again. */
  revive(): void {
    if (this.#options.server.isUp) void this.#alone(() => this.restart(reviveMs))
  }

  /** Resolves when no crash or restart is under way. */
  async settled(): Promise<void> {
    while (this.#isBusy) await this.#options.stage.clock.sleep(1_000)
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    await work()
    this.#isBusy = false
  }

  async #crash(): Promise<void> {
    const { stage, onNextAppend, onNextAnswer } = this.#options
    const { chance } = stage.dice
    const struck = Promise.withResolvers<void>()
    const kind = chance()
    if (kind < 0.5) onNextAppend(() => struck.resolve())
    else if (kind < 0.8) {
      let left = 1 + Math.floor(chance() * answersMax)
      const answered = () => ((left -= 1) === 0 ? struck.resolve() : onNextAnswer(answered))
      onNextAnswer(answered)
    }
    await Promise.race([struck.promise, stage.clock.sleep(chance() * (kind < 0.5 ? appendWaitMaxMs : answerWaitMaxMs))])
    await hops(Math.floor(chance() * hopsMax))
    this.#down()
    await stage.clock.sleep(this.#downMs())
    await this.start()
  }

  #downMs(): number {
    return this.#options.stage.dice.chance() ** 2 * this.#options.profile.downMaxMs
  }

  #down(): void {
    const { server, truth, machines, stage, note } = this.#options
    note('the server is down')
    server.crash()
    truth.serverEnded()
    const isTold = stage.dice.chance() < 0.8
    for (const machine of machines()) machine.road.lost('server', isTold)
  }

  #pause(): void {
    const { server, truth, stage, note } = this.#options
    if (!server.isUp || this.#isBusy) return
    const pauseMs = pauseMinMs + stage.dice.chance() * (pauseMaxMs - pauseMinMs)
    note(`the server does nothing for ${Math.round(pauseMs)} ms`)
    server.context!.pause(pauseMs)
    truth.serverPaused(pauseMs - pauseBlurMs)
  }
}

/** Lets so many microtasks of everyone else go first: a crash can come between any two of them. */
async function hops(count: number): Promise<void> {
  for (let hop = 0; hop < count; hop++) await Promise.resolve()
}
