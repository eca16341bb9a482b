import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Bench } from '../bench.ts'
import { noVerdicts } from '../state.ts'
import { Counterfactual } from './counterfactual.ts'
import { isOfMachine, isVerdict, type Fact, type MachineFact, type VerdictFact } from './facts.ts'
import { FactTime } from './factTime.ts'
import { Findings } from './findings.ts'
import { Judgement } from './judgement.ts'

export interface EngineOptions {
  readonly environmentId: string
  /** How often policy looks at what only time brings; a look is at a multiple of this. */
  readonly sweepMs: number
  readonly itemsMax: number
  /** By how much the steady clock is ahead of the wall clock, as long as no fact tells. */
  readonly aheadMs?: number
}

const foundByLooking: ReadonlySet<VerdictFact['type']> = new Set([
  ...(['RemovalRequested', 'RemovalWithheld', 'RemovalDeferred', 'RemovalsResumed'] as const),
  ...(['MassFailureDetected', 'MassFailureCleared'] as const),
])

/**
 * Asks the policy's own decision for its verdicts, over time that is long gone or has not come yet. It looks where policy
 * would have looked, but only when there may be something new: when a fact touches a machine in question or a guard, and
 * when the first of those who wait may be due. So weeks in which nothing happens cost nothing.
 */
export class Engine {
  readonly time: FactTime
  readonly findings: Findings
  readonly #environmentId: string
  readonly #sweepMs: number
  readonly #counterfactual: Counterfactual
  readonly #judgement: Judgement
  #wakeMs = Number.POSITIVE_INFINITY
  #nowMs = 0

  constructor(options: EngineOptions, counterfactual = new Counterfactual(options.environmentId), state = noVerdicts) {
    const { environmentId, sweepMs, itemsMax, aheadMs } = options
    this.#environmentId = environmentId
    this.#sweepMs = sweepMs
    this.#counterfactual = counterfactual
    this.time = new FactTime(aheadMs)
    this.findings = new Findings(itemsMax)
    this.#judgement = new Judgement(environmentId, counterfactual, this.findings, state, this.time.toWall)
  }

  /** When policy would look next if nothing else happened before. */
  get nextLookMs(): number {
    // A machine may have been silent for longer than anybody here knew of it.
    const dueMs = Math.max(this.#nowMs, this.#judgement.attention.earliestMs)
    return Math.min(this.#wakeMs, this.#sweepAt(dueMs))
  }

  get world() {
    return this.#counterfactual.world
  }

  benchAt(nowMs: number): Bench | null {
    return this.#judgement.benchAt(nowMs)
  }

  /** Whether a fact about the machine can matter: it is one of the environment's, or was. */
  knows(machineId: string): boolean {
    return this.#counterfactual.knows(machineId)
  }

  /** Takes in what was long before, and out of order. */
  remember(fact: Fact): void {
    this.#counterfactual.learn(fact)
  }

  /** Takes in what was before the time that is asked about, as it was. */
  learn(fact: Fact): void {
    this.time.of(fact)
    this.#counterfactual.learn(fact)
    if (isVerdict(fact)) this.#judgement.learn(fact)
  }

  /** From here on the policy decides: the one given, or (null) the one that held. */
  begin(nowMs: number, policy: EnvironmentPolicy | null): void {
    this.#nowMs = nowMs
    if (policy !== null) this.#counterfactual.try(policy)
    this.#startOver(nowMs)
  }

  /** Looks, as policy would at that time. */
  look(): void {
    this.#lookAt(this.nextLookMs)
  }

  /** Takes in the next fact. Looks that were due before it must have been made. */
  take(fact: Fact, nowMs: number): void {
    this.#nowMs = nowMs
    if (isOfMachine(fact)) return this.#takeOfMachine(fact, nowMs)
    if (isVerdict(fact)) return this.#takeVerdict(fact, nowMs)
    this.#counterfactual.meet(fact)
    if (fact.type === 'ObservationGapStarted' || fact.type === 'ObservationGapEnded') this.#wakeAt(nowMs)
    else this.#startOver(nowMs)
  }

  #startOver(nowMs: number): void {
    this.#judgement.crowds.recount()
    this.#judgement.attention.all()
    this.#wakeAt(nowMs)
  }

  #lookAt(nowMs: number): void {
    this.#nowMs = nowMs
    const nextMs = this.#judgement.lookAt(nowMs)
    this.#wakeMs = this.#sweepAt(Math.max(nextMs, nowMs + 1))
  }

  #takeOfMachine(fact: MachineFact, nowMs: number): void {
    const { crowds, attention } = this.#judgement
    const { machineId } = fact.data
    if (fact.type === 'MachineDeregistered') this.#judgement.carryOut(machineId, fact.data.cause.decisionId)
    const before = this.world.member(machineId)
    const isNearGuard = crowds.around(machineId, () => this.#counterfactual.meet(fact))
    this.findings.met(fact, nowMs)
    const now = this.world.member(machineId)
    const known = this.world.policyOf(this.#environmentId)
    if (now === undefined || known === undefined) return
    const isInQuestion = attention.expect(before, now, known.policy)
    if (isNearGuard || isInQuestion) this.#wakeAt(nowMs)
  }

  /** Whatever policy decided, it looked then: so the same is looked at here, if it is about to be. */
  #takeVerdict(fact: VerdictFact, nowMs: number): void {
    const isPerson = fact.type === 'RemovalsResumed' && fact.data.by === 'person'
    if (!isPerson && foundByLooking.has(fact.type) && this.nextLookMs <= this.#sweepAt(nowMs)) this.#lookAt(nowMs)
    this.findings.add('actual', fact, this.world, nowMs)
    switch (fact.type) {
      case 'ProviderAnswered':
      case 'ProviderFellSilent':
        this.#counterfactual.learn(fact)
        return this.#startOver(nowMs)
      case 'RemovalsResumed':
        if (isPerson && this.#judgement.release(fact, nowMs)) this.#wakeAt(nowMs)
        return
      case 'RemovalAbandoned':
        if (this.#judgement.giveUp(fact, nowMs)) this.#wakeAt(nowMs)
        return this.#counterfactual.learn(fact)
      case 'DecisionReverted':
        return this.#judgement.learn(fact)
      case 'RemovalRequested':
      case 'RemovalWithheld':
      case 'RemovalDeferred':
      case 'MassFailureDetected':
      case 'MassFailureCleared':
    }
  }

  #wakeAt(nowMs: number): void {
    this.#wakeMs = Math.min(this.#wakeMs, this.#sweepAt(nowMs))
  }

  #sweepAt(ms: number): number {
    return Math.ceil(ms / this.#sweepMs) * this.#sweepMs
  }
}
