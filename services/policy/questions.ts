import type { Answer } from '#contracts/command.ts'
import type { Cause } from '#contracts/message.ts'
import type { PolicyCommand } from '#contracts/policy.ts'
import { isRefusal, refuse, type Refusal } from '#libs/decider.ts'
import type { Platform } from '#libs/platform.ts'
import { backtest } from './backtest/backtest.ts'
import { fitting } from './backtest/caveats.ts'
import { backtestDefaults, type BacktestSettings } from './backtest/settings.ts'
import { whatIf } from './backtest/whatIf.ts'
import { benchOf } from './bench.ts'
import { explainRemoval } from './explain.ts'
import type { Reconciler } from './reconciler.ts'

type Data<Type extends PolicyCommand['type']> = Extract<PolicyCommand, { type: Type }>['data']
interface Running {
  readonly commandId: string
  readonly answer: Promise<Answer>
}

export interface QuestionOptions {
  readonly sweepMs: number
  readonly settings?: Partial<BacktestSettings>
}

/** What policy is asked without anything following from it: it thinks, and records nothing. */
export class Questions {
  readonly #platform: Platform
  readonly #reconciler: Reconciler
  readonly #settings: BacktestSettings
  readonly #sweepMs: number
  readonly #stopped = new AbortController()
  #running: Running | null = null

  constructor(platform: Platform, reconciler: Reconciler, { sweepMs, settings }: QuestionOptions) {
    this.#platform = platform
    this.#reconciler = reconciler
    this.#sweepMs = sweepMs
    this.#settings = { ...backtestDefaults, ...settings }
  }

  /** Whoever waits for an answer is told to ask again. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#running?.answer.catch(() => {})
  }

  backtest(data: Data<'BacktestPolicy'>, cause: Cause): Promise<Answer> {
    return this.#alone(cause, async () => {
      const { store, clock } = this.#platform
      const nowMs = clock.wallMs()
      const question = { ...data, toAt: Math.min(data.toAt ?? nowMs, nowMs) }
      const wrong = this.#wrong(question)
      if (wrong !== null) return wrong
      const tools = { store, clock, settings: this.#settings, sweepMs: this.#sweepMs, signal: this.#stopped.signal }
      return this.#answer(await backtest(question, tools))
    })
  }

  whatIf(data: Data<'WhatIf'>, cause: Cause): Promise<Answer> {
    return this.#alone(cause, async () => {
      const { environmentId } = data
      const { known } = this.#reconciler
      const { state } = await this.#reconciler.load(environmentId)
      const policy = known.world.policyOf(environmentId)
      if (policy === undefined) return unknownEnvironment(environmentId)
      const now = { known: policy, present: known.present(environmentId), state, ...this.#reconciler.moment() }
      const { clock } = this.#platform
      const tools = { clock, settings: this.#settings, sweepMs: this.#sweepMs, signal: this.#stopped.signal }
      return this.#answer(await whatIf(data, now, tools))
    })
  }

  async explain({ machineId }: Data<'ExplainRemoval'>): Promise<Answer> {
    const { world } = this.#reconciler.known
    const member = world.member(machineId)
    if (member === undefined || member.environmentId === '')
      return refuse('MACHINE_UNKNOWN', `there is no machine ${machineId}`)
    const { state } = await this.#reconciler.load(member.environmentId)
    const bench = benchOf(member.environmentId, state, world, this.#reconciler.moment())
    const now = world.member(machineId) ?? member
    return bench === null
      ? unknownEnvironment(member.environmentId)
      : { accepted: true, position: 0, result: explainRemoval(bench, now) }
  }

  /** One at a time, since each may keep a processor busy. Asked again with the same id, it is the same question. */
  async #alone({ commandId }: Cause, work: () => Promise<Answer>): Promise<Answer> {
    if (this.#running?.commandId === commandId) return this.#running.answer
    if (this.#running !== null) return refuse('BACKTEST_BUSY', 'ask again when it is done')
    const answer = work()
    this.#running = { commandId, answer }
    try {
      return await answer
    } finally {
      this.#running = null
    }
  }

  #wrong({ environmentId, fromAt, toAt }: { environmentId: string; fromAt: number; toAt: number }): Refusal | null {
    const { periodMaxMs } = this.#settings
    if (this.#reconciler.known.world.policyOf(environmentId) === undefined) return unknownEnvironment(environmentId)
    if (fromAt >= toAt) return refuse('REQUEST_INVALID', 'fromAt: it must lie before toAt, and in the past')
    if (toAt - fromAt <= periodMaxMs) return null
    return refuse('BACKTEST_TOO_LARGE', `from fromAt to toAt may be ${periodMaxMs} ms at most`)
  }

  #answer(found: Awaited<ReturnType<typeof backtest | typeof whatIf>>): Answer {
    if (isRefusal(found)) return found
    const { itemsMax, replyBytesMax } = this.#settings
    const { position, ...result } = fitting(found, itemsMax, replyBytesMax)
    return { accepted: true, position, result }
  }
}

const unknownEnvironment = (environmentId: string): Refusal =>
  refuse('ENVIRONMENT_UNKNOWN', `there is no environment ${environmentId}`)
