import type { PolicyEvent } from '#contracts/policy.ts'
import type { Outcome } from '#contracts/backtest.ts'
import { domainKey } from '../state.ts'
import { Tally } from './tally.ts'

type FactOf<Type extends PolicyEvent['type']> = Extract<PolicyEvent, { type: Type }>
type Mutable<Item> = { -readonly [Key in keyof Item]: Item[Key] }
type ItemOf<List extends keyof Outcome> = Outcome[List] extends { readonly items: readonly (infer Item)[] }
  ? Mutable<Item>
  : never
type Removed = ItemOf<'removed'> & { readonly since: number }
type Held = ItemOf<'withheld'>
type Deferred = ItemOf<'deferred'>
type Incident = ItemOf<'incidents'>

const hourMs = 3_600_000

/** Puts down what a policy did, in the order in which it was done, and how it came out. Instants are steady ones. */
export class Ledger {
  readonly #removed: Tally<Removed>
  readonly #withheld: Tally<Held>
  readonly #deferred: Tally<Deferred>
  readonly #incidents: Tally<Incident>
  #returnedWithinHour = 0
  /** By machine: the last that was put down of each kind. */
  readonly #lastRemoval = new Map<string, Removed>()
  readonly #held = new Map<string, Held>()
  readonly #waiting = new Map<string, Deferred>()
  readonly #lasting = new Map<string, Incident>()

  constructor(itemsMax: number) {
    this.#removed = new Tally(itemsMax)
    this.#withheld = new Tally(itemsMax)
    this.#deferred = new Tally(itemsMax)
    this.#incidents = new Tally(itemsMax)
  }

  /** @param name what the machine that it is about is called */
  add(event: PolicyEvent, name: string, nowMs: number): void {
    switch (event.type) {
      case 'RemovalRequested':
        return this.#remove(event.data, name)
      case 'RemovalWithheld': {
        const { machineId, share, domain = null } = event.data
        const open: Held = { machineId, name, at: nowMs, share, domain, until: null, how: null }
        close(this.#waiting, machineId, nowMs, null)
        this.#held.set(machineId, open)
        return this.#withheld.add(open)
      }
      case 'RemovalDeferred':
        return this.#defer(event.data, name, nowMs)
      case 'RemovalsResumed':
        return event.data.machineIds.forEach((id) => this.#end(id, nowMs, event.data.by))
      case 'MassFailureDetected': {
        const { domain, unavailable, share } = event.data
        const open: Incident = { domain, at: nowMs, machines: unavailable, share, until: null, how: null }
        this.#lasting.set(domainKey(domain), open)
        return this.#incidents.add(open)
      }
      case 'MassFailureCleared': {
        const { domain, by } = event.data
        return close(this.#lasting, domainKey(domain), nowMs, by)
      }
      case 'RemovalAbandoned':
      case 'DecisionReverted':
      case 'ProviderAnswered':
      case 'ProviderFellSilent':
      case 'AutomaticDeploymentRequested':
      case 'AutomaticDeploymentSettled':
      case 'AutomaticDeploymentAbandoned':
      case 'AutomaticDeploymentSkipped':
      case 'ReleaseCircuitOpened':
      case 'ReleaseCircuitClosed':
    }
  }

  returned(machineId: string, nowMs: number): void {
    const removal = this.#lastRemoval.get(machineId)
    if (removal === undefined || removal.returnedAfterMs !== null) return
    removal.returnedAfterMs = nowMs - removal.at
    if (removal.returnedAfterMs <= hourMs) this.#returnedWithinHour += 1
  }

  /** Whether it is the last removal once more: a decision that got lost is made again. */
  isRepeated({ machineId, unavailableSince }: FactOf<'RemovalRequested'>['data']): boolean {
    const last = this.#lastRemoval.get(machineId)
    return last?.since === unavailableSince && last.returnedAfterMs === null
  }

  /**
   * The last removal of the machine was given up.
   * @returns whether there was one
   */
  takeBack(machineId: string): boolean {
    const removal = this.#lastRemoval.get(machineId)
    if (removal === undefined) return false
    this.#lastRemoval.delete(machineId)
    this.#removed.takeBack(removal)
    if (removal.returnedAfterMs !== null && removal.returnedAfterMs <= hourMs) this.#returnedWithinHour -= 1
    return true
  }

  /** @param tell what an instant is on people's clocks */
  outcome(tell: (steadyMs: number) => number): Outcome {
    const told = <Item extends { at: number; until: number | null }>(item: Item): Item => ({
      ...item,
      at: tell(item.at),
      until: item.until === null ? null : tell(item.until),
    })
    return {
      removed: this.#removed.list(({ machineId, name, at, rule, observedMs, decision, returnedAfterMs }) => ({
        ...{ machineId, name, at: tell(at), rule, observedMs, decision, returnedAfterMs },
      })),
      withheld: this.#withheld.list(told),
      deferred: this.#deferred.list(told),
      incidents: this.#incidents.list(told),
      returnedWithinHour: this.#returnedWithinHour,
    }
  }

  #remove(
    { machineId, rule, observedMs, decisionId, at, unavailableSince }: FactOf<'RemovalRequested'>['data'],
    name: string,
  ) {
    this.#end(machineId, at, 'removed')
    const about = { machineId, name, at, rule, observedMs, decision: decisionId }
    const removal: Removed = { ...about, returnedAfterMs: null, since: unavailableSince }
    this.#lastRemoval.set(machineId, removal)
    this.#removed.add(removal)
  }

  #defer({ machineId, clause }: FactOf<'RemovalDeferred'>['data'], name: string, nowMs: number): void {
    close(this.#waiting, machineId, nowMs, null)
    const open: Deferred = { machineId, name, at: nowMs, clause, until: null, how: null }
    this.#waiting.set(machineId, open)
    this.#deferred.add(open)
  }

  #end(machineId: string, nowMs: number, how: Held['how']): void {
    close(this.#held, machineId, nowMs, how)
    close(this.#waiting, machineId, nowMs, how)
  }
}

function close<How>(
  open: Map<string, { until: number | null; how: How | null }>,
  key: string,
  nowMs: number,
  how: How | null,
): void {
  const item = open.get(key)
  if (item === undefined) return
  item.until = nowMs
  item.how = how
  open.delete(key)
}
