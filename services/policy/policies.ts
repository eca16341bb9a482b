import { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Members } from './members.ts'
import type { NewsOf } from './news.ts'
import type { Provided } from './provided.ts'
import type { World } from './world.ts'

type Settled = NewsOf<'EnvironmentCreated' | 'EnvironmentPolicyChanged'>['data']

/** The policy of each environment, and what changes with it in how its machines are looked at. */
export class Policies {
  readonly #members: Members
  readonly #provided: Provided
  readonly #policies = new Map<string, ReturnType<World['policyOf']> & object>()

  constructor(members: Members, provided: Provided) {
    this.#members = members
    this.#provided = provided
  }

  of(environmentId: string): ReturnType<World['policyOf']> {
    return this.#policies.get(environmentId)
  }

  environmentIds(): readonly string[] {
    return [...this.#policies.keys()]
  }

  settle({ environmentId, policy: stored, policyVersion }: Settled): void {
    // What was stored before a setting was invented has its default.
    const policy = EnvironmentPolicy.parse(stored)
    this.#policies.set(environmentId, { policy, policyVersion })
    this.#members.in.divideBy(environmentId, policy.guard.failureDomain)
    this.#provided.askedOf(environmentId, policy.dynamicRegistration.provider)
  }
}
