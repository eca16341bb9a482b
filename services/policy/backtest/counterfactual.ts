import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Gaps } from '#libs/gaps.ts'
import type { Member, World } from '../world.ts'
import { isOfMachine, type Fact, type MachineFact } from './facts.ts'
import { Replica, type Settled } from './replica.ts'

type FactOf<Type extends Fact['type']> = Extract<Fact, { type: Type }>

/** By these a machine leaves whether or not the policy that is tried would have let it go. */
const ofPolicy: ReadonlySet<string> = new Set(['policy', 'not-contactable'])

/**
 * One environment as it would have been under another policy: what machines, people and deployments did stays as it
 * was, what the policy of the time did is left out. A machine that it removed is silent on until it is really heard; one
 * that the other policy removes is away until then.
 */
export class Counterfactual {
  readonly #environmentId: string
  readonly #replica: Replica
  #tried: EnvironmentPolicy | null = null
  /** Taken out by the policy that is tried, as they were then. */
  readonly #removed = new Map<string, Member>()
  /** Taken out in reality, and not by the policy that is tried. */
  readonly #kept = new Set<string>()

  constructor(environmentId: string, gaps?: Gaps) {
    this.#environmentId = environmentId
    this.#replica = new Replica(gaps)
  }

  get world(): World {
    return this.#replica.world
  }

  /** Whether the machine is, or was, one of this environment. Others are none of its business. */
  knows(machineId: string): boolean {
    return this.#replica.members.get(machineId) !== undefined
  }

  /** From now on this policy holds, whatever the record says of changes to it. */
  try(policy: EnvironmentPolicy): void {
    const { policyVersion = 1 } = this.world.policyOf(this.#environmentId) ?? {}
    this.#tried = policy
    this.settle({ environmentId: this.#environmentId, policy, policyVersion })
  }

  settle(settled: Settled): void {
    this.#replica.settle(settled)
  }

  /** Takes over a machine as it is known elsewhere. */
  adopt(member: Member): void {
    this.#replica.members.set(member.machineId, member)
  }

  /** Takes in a fact as it was. */
  learn(fact: Fact): void {
    this.#replica.learn(fact)
  }

  /** Takes in a fact as it would have been. */
  meet(fact: Fact): void {
    if (isOfMachine(fact)) return this.#meetMachine(fact)
    const isChange = fact.type === 'EnvironmentCreated' || fact.type === 'EnvironmentPolicyChanged'
    if (this.#tried !== null && isChange) this.settle({ ...fact.data, policy: this.#tried })
    else this.learn(fact)
  }

  remove(machineId: string): void {
    const member = this.#replica.members.get(machineId)
    if (member === undefined) return
    this.#removed.set(machineId, member)
    this.#kept.delete(machineId)
    this.#takeOut(member)
  }

  /** The removal was given up after all: the machine is silent as before. */
  putBack(machineId: string): void {
    const member = this.#removed.get(machineId)
    if (member === undefined) return
    this.#removed.delete(machineId)
    this.#replica.members.set(machineId, member)
  }

  #meetMachine(fact: MachineFact): void {
    const { machineId } = fact.data
    switch (fact.type) {
      case 'MachineDeregistered':
        if (!ofPolicy.has(fact.data.cause.kind)) return this.#leave(fact)
        if (!this.#removed.has(machineId)) this.#kept.add(machineId)
        return
      case 'MachineRegistered':
        return this.#register(fact)
      case 'MachineBecameHealthy':
      case 'MachineBecameDegraded':
      case 'MachineBecameUnhealthy':
        return this.#hear(fact)
      case 'MachineRestored':
        if (!this.#kept.has(machineId)) this.#removed.delete(machineId)
        return this.#learnUnlessKept(fact)
      case 'MachineChanged':
        return this.#change(fact)
      case 'MachineDisabled':
      case 'MachineQuarantined':
        this.#kept.delete(machineId)
        return this.learn(fact)
      case 'MachineEnabled':
      case 'MachineReleased':
      case 'MachineReregistered':
        return this.learn(fact)
      case 'MachineBecameUnavailable':
      case 'HealthCheckFailed':
      case 'HealthForgotten':
      case 'TargetExcluded':
        return this.#learnUnlessKept(fact)
    }
  }

  /** Its silence was broken by its removal, in reality alone: so here it lasts. */
  #learnUnlessKept(fact: MachineFact): void {
    if (!this.#kept.has(fact.data.machineId)) this.learn(fact)
  }

  /** Somebody took it out who does not ask the policy. */
  #leave(fact: FactOf<'MachineDeregistered'>): void {
    this.#removed.delete(fact.data.machineId)
    this.#kept.delete(fact.data.machineId)
    this.learn(fact)
  }

  /** One that was never taken out is not new here: it only says how it is, and is heard. */
  #register(fact: FactOf<'MachineRegistered'>): void {
    const { machineId, name, environmentId, roles, attributes } = fact.data
    this.#removed.delete(machineId)
    if (!this.#kept.delete(machineId)) return this.learn(fact)
    this.#replica.members.set(machineId, { name, environmentId, roles, attributes })
    this.#replica.members.feel({ type: 'HealthForgotten', data: { machineId, at: fact.meta.at } })
  }

  #hear(fact: FactOf<'MachineBecameHealthy' | 'MachineBecameDegraded' | 'MachineBecameUnhealthy'>): void {
    const { machineId } = fact.data
    this.#kept.delete(machineId)
    const member = this.#replica.members.get(machineId)
    if (this.#removed.delete(machineId) && member !== undefined)
      this.#replica.members.list({ type: 'MachineRestored', data: { ...whoOf(member), reason: '' } })
    this.learn(fact)
  }

  #change(fact: FactOf<'MachineChanged'>): void {
    this.learn(fact)
    const member = this.#replica.members.get(fact.data.machineId)
    if (member !== undefined && this.#removed.has(member.machineId)) this.#takeOut(member)
  }

  #takeOut(member: Member): void {
    const cause = { kind: 'policy', reason: '', decisionId: null, deploymentId: null } as const
    const data = { ...whoOf(member), cause, evidence: null, policyVersion: null }
    this.#replica.members.list({ type: 'MachineDeregistered', data })
  }
}

const whoOf = ({ machineId, name, environmentId, roles }: Member) => ({ machineId, name, environmentId, roles })
