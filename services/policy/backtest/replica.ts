import { Gaps } from '#libs/gaps.ts'
import { Members } from '../members.ts'
import { Policies } from '../policies.ts'
import { Provided } from '../provided.ts'
import type { World } from '../world.ts'
import { isOfHealth, isOfMachine, isOfRegistry, type Fact, type MachineFact } from './facts.ts'

type Changed = Extract<Fact, { type: 'EnvironmentPolicyChanged' }>['data']
export type Settled = Pick<Changed, 'environmentId' | 'policy' | 'policyVersion'>

const nothing = () => []

/** What policy knows of one environment as far as removals go by it, from the same facts and put together the same way. */
export class Replica {
  readonly members = new Members()
  readonly #provided = new Provided(this.members)
  readonly #policies = new Policies(this.members, this.#provided)
  readonly #gaps: Gaps
  readonly world: World

  constructor(gaps = new Gaps()) {
    this.#gaps = gaps
    const { in: groups } = this.members
    this.world = {
      policyOf: (id) => this.#policies.of(id),
      member: (machineId) => this.members.get(machineId),
      registered: (id) => groups.registered(id).size,
      registeredIn: (id, value) => groups.registeredIn(id, value),
      returnedSince: (...asked) => groups.returnedSince(...asked),
      unavailable: (id) => groups.unavailable(id).values(),
      suspects: (id) => groups.suspects(id).values(),
      observedMs: (sinceMs, nowMs) => this.#gaps.observedMs(sinceMs, nowMs),
      observingSince: () => this.#gaps.observingSince,
      ...{ behind: nothing, desired: nothing, ended: nothing, missing: nothing, neededSince: (...need) => need[3] },
    }
  }

  settle(settled: Settled): void {
    this.#policies.settle(settled)
  }

  /** Takes in a fact as it was. */
  learn(fact: Fact): void {
    if (isOfMachine(fact)) return this.#learnOfMachine(fact)
    switch (fact.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged':
        return this.settle(fact.data)
      case 'ObservationGapStarted':
      case 'ObservationGapEnded':
        return this.#gaps.apply(fact)
      case 'ProviderAnswered':
      case 'ProviderFellSilent':
        return this.#provided.apply(fact)
      case 'RemovalAbandoned':
        return this.members.answered(fact.data.machineId)
      case 'RemovalRequested':
      case 'RemovalWithheld':
      case 'RemovalDeferred':
      case 'RemovalsResumed':
      case 'DecisionReverted':
      case 'MassFailureDetected':
      case 'MassFailureCleared':
        return
    }
  }

  #learnOfMachine(fact: MachineFact): void {
    if (isOfRegistry(fact)) return this.members.list(fact)
    if (isOfHealth(fact)) return this.members.feel(fact)
    const { cause, machineId, deploymentId } = fact.data
    if (cause === 'not-contactable') this.members.notContactable(machineId, deploymentId)
  }
}
