import type { BacktestReply, Caveat } from '#contracts/backtest.ts'
import type { Recorded } from '#contracts/message.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import { healthStream, machineStream } from '#contracts/subjects.ts'
import type { Clock } from '#libs/clock.ts'
import { refuse, type Refusal } from '#libs/decider.ts'
import type { EventStore } from '#libs/store/store.ts'
import { caveatsOf } from './caveats.ts'
import { Engine } from './engine.ts'
import { isFact, isOfMachine, joins, type Fact, type MachineFact } from './facts.ts'
import { Pace } from './pace.ts'
import type { BacktestSettings } from './settings.ts'

export interface BacktestQuestion {
  readonly environmentId: string
  readonly policy: EnvironmentPolicy | null
  readonly fromAt: number
  readonly toAt: number
}

export interface BacktestTools {
  readonly store: Pick<EventStore, 'read' | 'readAll'>
  readonly clock: Clock
  readonly settings: BacktestSettings
  readonly sweepMs: number
  /** Aborts when policy stops: then nobody needs the answer any more. */
  readonly signal: AbortSignal
}

/** What a policy would have done in a time that is gone, by what is recorded of it. Takes its time in small slices. */
export const backtest = (question: BacktestQuestion, tools: BacktestTools): Promise<BacktestReply | Refusal> =>
  new Backtest(question, tools).run()

export const stopping = refuse('SERVICE_UNAVAILABLE', 'policy is being stopped; ask again when it is there')

class Backtest {
  readonly #question: BacktestQuestion
  readonly #tools: BacktestTools
  readonly #engine: Engine
  readonly #pace: Pace
  readonly #caveats = new Set<Caveat>()
  #hasBegun = false
  #events = 0
  #position = 0

  constructor(question: BacktestQuestion, tools: BacktestTools) {
    const { clock, settings, sweepMs } = tools
    this.#question = question
    this.#tools = tools
    const { environmentId } = question
    this.#engine = new Engine({ environmentId, sweepMs, itemsMax: settings.itemsMax })
    this.#pace = new Pace(clock, settings, tools.signal)
  }

  async run(): Promise<BacktestReply | Refusal> {
    const { store, settings } = this.#tools
    for (let isOver = false; !isOver;) {
      const page = await store.readAll(this.#position, settings.pageEventsMax)
      if (page.length === 0) break
      for (const event of page) {
        isOver = event.meta.at >= this.#question.toAt
        if (isOver) break
        this.#events += 1
        this.#position = event.meta.position
        if (isFact(event) && this.#isOurs(event)) {
          if (this.#isStranger(event)) await this.#remember(event)
          const isReady = this.#isAheadOf(event) || (await this.#lookUntil(this.#engine.time.of(event)))
          if (!isReady) return this.#tooLate()
          this.#take(event)
        }
        if (this.#pace.isSpent && !(await this.#pace.rest())) return this.#tooLate()
      }
      if (this.#events > settings.eventsMax) return this.#tooMany()
    }
    const { fromAt, toAt } = this.#question
    if (!this.#hasBegun) this.#begin(this.#engine.time.fromWall(fromAt))
    const endMs = this.#engine.time.fromWall(toAt)
    if (!(await this.#lookUntil(endMs + 1))) return this.#tooLate()
    return this.#reply()
  }

  #isOurs(fact: Fact): boolean {
    const { environmentId } = this.#question
    if (isOfMachine(fact)) return this.#engine.knows(fact.data.machineId) || joins(fact, environmentId)
    return !('environmentId' in fact.data) || fact.data.environmentId === environmentId
  }

  /** Whether nothing is to be thought of before the fact: most facts change nothing that anybody waits for. */
  #isAheadOf(fact: Fact): boolean {
    if (!this.#hasBegun && fact.meta.at < this.#question.fromAt) return true
    const atMs = this.#engine.time.of(fact)
    if (!this.#hasBegun) this.#begin(Math.min(atMs, this.#engine.time.fromWall(this.#question.fromAt)))
    return this.#engine.nextLookMs >= atMs
  }

  #take(fact: Fact): void {
    if (!this.#hasBegun) return this.#engine.learn(fact)
    if (fact.type === 'EnvironmentCreated' || fact.type === 'EnvironmentPolicyChanged') this.#compare(fact.data.policy)
    this.#engine.take(fact, this.#engine.time.of(fact))
  }

  /** What cannot be known depends on every policy that held meanwhile. */
  #compare(held: EnvironmentPolicy | undefined): void {
    for (const caveat of caveatsOf(this.#question.policy, held)) this.#caveats.add(caveat)
  }

  /** Whether the machine is new to this environment, and not new altogether. */
  #isStranger(fact: Fact): fact is MachineFact {
    return isOfMachine(fact) && fact.meta.version > 1 && !this.#engine.knows(fact.data.machineId)
  }

  /** What happened to a machine before it came here was passed by, since most of it is about machines that never come. */
  async #remember({
    data: { machineId },
    meta,
  }: Fact & { readonly data: { readonly machineId: string } }): Promise<void> {
    if (meta.version === 1) return
    const { store } = this.#tools
    const slices = [await store.read(machineStream(machineId)), await store.read(healthStream(machineId))]
    const before = slices.flatMap(({ events }) => events).filter(({ meta: { position } }) => position < meta.position)
    for (const event of before.toSorted((a: Recorded, b: Recorded) => a.meta.position - b.meta.position))
      if (isFact(event)) this.#engine.remember(event)
  }

  #begin(nowMs: number): void {
    this.#hasBegun = true
    const { environmentId, policy } = this.#question
    this.#compare(this.#engine.world.policyOf(environmentId)?.policy)
    this.#engine.begin(nowMs, policy)
  }

  /** Makes the looks that are due before an instant. False when time runs out over it. */
  async #lookUntil(atMs: number): Promise<boolean> {
    while (this.#engine.nextLookMs < atMs) {
      this.#engine.look()
      if (this.#pace.isSpent && !(await this.#pace.rest())) return false
    }
    return true
  }

  #reply(): BacktestReply {
    const { environmentId, fromAt, toAt } = this.#question
    const { findings, time } = this.#engine
    return {
      ...{ environmentId, fromAt, toAt, events: this.#events, position: this.#position },
      proposed: findings.outcome('proposed', time.toWall),
      actual: findings.outcome('actual', time.toWall),
      difference: findings.difference(time.toWall),
      caveats: [...this.#caveats],
    }
  }

  #tooLate(): Refusal {
    const { settings, signal } = this.#tools
    if (signal.aborted) return stopping
    const { deadlineMs } = settings
    return refuse(
      'BACKTEST_TIMED_OUT',
      `${this.#events} events were read in ${deadlineMs} ms and it was not done; ask for a time that ends earlier`,
    )
  }

  #tooMany(): Refusal {
    const { eventsMax } = this.#tools.settings
    return refuse(
      'BACKTEST_TOO_LARGE',
      `more than ${eventsMax} events lie before its end; ask for one that ends earlier`,
    )
  }
}
