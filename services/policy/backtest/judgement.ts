import type { PolicyEvent } from '#contracts/policy.ts'
import { benchOf, type Bench } from '../bench.ts'
import { evolve } from '../evolve.ts'
import { removalVerdicts, verdictsAtTheLast } from '../removals.ts'
import type { Verdicts } from '../state.ts'
import { Attention } from './attention.ts'
import { nextChangeMs } from './bounds.ts'
import type { Counterfactual } from './counterfactual.ts'
import { Crowds } from './crowds.ts'
import type { VerdictFact } from './facts.ts'
import type { Findings } from './findings.ts'

type GivenUp = Extract<VerdictFact, { type: 'RemovalAbandoned' }>
type Resumed = Extract<VerdictFact, { type: 'RemovalsResumed' }>

/** What one look removes may let others go, so another follows at once; this often at most. */
const roundsMax = 100
/** A removal that was given up later than this was given up for another reason. */
const carriedOutWithinMs = 5 * 60_000

/** The policy's own decision, asked about a world that is not: its verdicts are carried out there at once. */
export class Judgement {
  readonly crowds: Crowds
  readonly attention: Attention
  readonly #environmentId: string
  readonly #counterfactual: Counterfactual
  readonly #findings: Findings
  readonly #toWall: (steadyMs: number) => number
  #state: Verdicts
  #looks = 0

  constructor(
    environmentId: string,
    counterfactual: Counterfactual,
    findings: Findings,
    state: Verdicts,
    toWall: (steadyMs: number) => number,
  ) {
    this.#environmentId = environmentId
    this.#counterfactual = counterfactual
    this.#findings = findings
    this.#state = state
    this.#toWall = toWall
    this.crowds = new Crowds(environmentId, counterfactual.world)
    this.attention = new Attention(environmentId, counterfactual.world)
  }

  /** Takes in what was decided in reality, where that holds here as well. */
  learn(verdict: PolicyEvent): void {
    this.#state = evolve(this.#state, verdict)
  }

  /** @returns when there may be something new by time alone */
  lookAt(nowMs: number): number {
    let bench = this.benchAt(nowMs)
    for (let round = 0; round < roundsMax && bench !== null; round++) {
      const verdicts = removalVerdicts(bench, this.#newId())
      if (verdicts.length === 0) break
      for (const verdict of verdicts) this.#decide(verdict, nowMs)
      bench = this.benchAt(nowMs)
      if (!verdicts.some(({ type }) => type === 'RemovalRequested')) break
    }
    const due = this.attention.due(nowMs)
    return bench === null ? Number.POSITIVE_INFINITY : nextChangeMs(bench, due)
  }

  benchAt(nowMs: number): Bench | null {
    const { world } = this.#counterfactual
    return benchOf(this.#environmentId, this.#state, world, { nowMs, wallMs: this.#toWall(nowMs) })
  }

  /** What was decided before the time that is asked about is carried out in it, whatever policy is tried. */
  carryOut(machineId: string, decisionId: string | null): void {
    if (decisionId === null || this.#state.removals.get(machineId)?.decisionId !== decisionId) return
    this.#remove(machineId)
  }

  /**
   * A person let machines go: here that is said of those that are held here.
   * @returns whether there are any
   */
  release({ type, data }: Resumed, nowMs: number): boolean {
    const machineIds = data.machineIds.filter((id) => this.#state.withheld.has(id))
    if (machineIds.length > 0) this.#decide({ type, data: { ...data, machineIds } }, nowMs)
    return machineIds.length > 0
  }

  /**
   * What was decided was not done, since the machine answered, or more had happened by then.
   * @returns whether that holds here as well
   */
  giveUp(fact: GivenUp, nowMs: number): boolean {
    const { machineId } = fact.data
    const removal = this.#state.removals.get(machineId)
    if (removal?.abandonedAt !== null || nowMs - removal.at > carriedOutWithinMs) return false
    this.crowds.around(machineId, () => this.#counterfactual.putBack(machineId))
    this.attention.attend(machineId)
    const bench = this.benchAt(nowMs)
    const own = bench === null ? [] : verdictsAtTheLast(bench, removal, this.#newId())
    for (const verdict of own.length === 0 ? [fact] : own) this.#decide(verdict, nowMs)
    return true
  }

  #decide(verdict: PolicyEvent, nowMs: number): void {
    this.#state = evolve(this.#state, verdict)
    this.#findings.add('proposed', verdict, this.#counterfactual.world, nowMs)
    if (verdict.type === 'RemovalRequested') this.#remove(verdict.data.machineId)
  }

  #remove(machineId: string): void {
    this.crowds.around(machineId, () => this.#counterfactual.remove(machineId))
  }

  #newId(): string {
    return `look-${(this.#looks += 1)}`
  }
}
