import type { BacktestReply } from '#contracts/backtest.ts'
import type { PolicyEvent } from '#contracts/policy.ts'
import type { World } from '../world.ts'
import { Episodes, type Side } from './episodes.ts'
import type { MachineFact } from './facts.ts'
import { Ledger } from './ledger.ts'

const heard: ReadonlySet<MachineFact['type']> = new Set([
  ...(['MachineRegistered', 'MachineBecameHealthy', 'MachineBecameDegraded', 'MachineBecameUnhealthy'] as const),
])

/** What the policy that is tried did and what was really done, side by side. */
export class Findings {
  readonly #ledgers: Readonly<Record<Side, Ledger>>
  readonly #removals: Episodes
  readonly #withholdings: Episodes

  constructor(itemsMax: number) {
    this.#ledgers = { proposed: new Ledger(itemsMax), actual: new Ledger(itemsMax) }
    this.#removals = new Episodes(itemsMax)
    this.#withholdings = new Episodes(itemsMax)
  }

  add(side: Side, event: PolicyEvent, world: World, nowMs: number): void {
    const nameOf = (machineId: string) => world.member(machineId)?.name ?? ''
    const machineId = 'machineId' in event.data ? event.data.machineId : ''
    if (event.type === 'RemovalAbandoned') return this.takeBack(side, machineId)
    if (event.type === 'RemovalRequested') {
      if (this.#ledgers[side].isRepeated(event.data)) this.takeBack(side, machineId)
      this.#removals.add(side, machineId, nameOf(machineId), event.data.at)
    }
    if (event.type === 'RemovalWithheld') this.#withholdings.add(side, machineId, nameOf(machineId), nowMs)
    this.#ledgers[side].add(event, nameOf(machineId), nowMs)
  }

  /** A machine that is heard has come back from wherever it was; one that others took out was not policy's any more. */
  met({ type, data }: MachineFact, nowMs: number): void {
    const { machineId } = data
    if (heard.has(type)) {
      this.#ledgers.proposed.returned(machineId, nowMs)
      this.#ledgers.actual.returned(machineId, nowMs)
    } else if (type !== 'MachineDeregistered' || data.cause.decisionId !== null) return
    this.#removals.end(machineId)
    this.#withholdings.end(machineId)
  }

  takeBack(side: Side, machineId: string): void {
    if (this.#ledgers[side].takeBack(machineId)) this.#removals.takeBack(side, machineId)
  }

  outcome(side: Side, tell: (steadyMs: number) => number) {
    return this.#ledgers[side].outcome(tell)
  }

  /** Called once, when nothing more is to come. */
  difference(tell: (steadyMs: number) => number): BacktestReply['difference'] {
    return { removed: this.#removals.difference(tell), withheld: this.#withholdings.difference(tell) }
  }
}
