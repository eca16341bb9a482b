import type { PolicyEvent, ProviderState } from '#contracts/policy.ts'
import type { Members } from './members.ts'

type Said = Extract<PolicyEvent, { type: 'ProviderAnswered' | 'ProviderFellSilent' }>

/**
 * Keeps what the providers said of machines. While a provider is silent its earlier words are no evidence, and they are
 * once more when it answers, since it then names only what has changed. That a machine is terminated stays true.
 */
export class Provided {
  readonly #members: Members
  /** By environment: the provider that its policy names. */
  readonly #providers = new Map<string, string | null>()
  /** By environment, the machines of which the provider had said something before it fell silent. */
  readonly #before = new Map<string, Map<string, ProviderState>>()

  constructor(members: Members) {
    this.#members = members
  }

  /** What another provider said counts for nothing. */
  askedOf(environmentId: string, provider: string | null): void {
    const before = this.#providers.get(environmentId)
    this.#providers.set(environmentId, provider)
    if (before === undefined || before === provider) return
    this.#before.delete(environmentId)
    for (const { machineId, providerState } of this.#members.in.registered(environmentId).values())
      if (providerState !== null) this.#members.set(machineId, { providerState: null, providerSaidAt: null })
  }

  apply(event: Said): void {
    if (this.#providers.get(event.data.environmentId) !== event.data.provider) return
    if (event.type === 'ProviderFellSilent') return this.#fellSilent(event.data.environmentId)
    const { environmentId, machines, at } = event.data
    this.#speaksAgain(environmentId)
    for (const { machineId, state } of machines)
      this.#members.set(machineId, { providerState: state, providerSaidAt: at })
  }

  #fellSilent(environmentId: string): void {
    const before = this.#before.get(environmentId) ?? new Map<string, ProviderState>()
    this.#before.set(environmentId, before)
    for (const { machineId, providerState } of this.#members.in.registered(environmentId).values()) {
      if (providerState === null || providerState === 'silent' || providerState === 'terminated') continue
      before.set(machineId, providerState)
      this.#members.set(machineId, { providerState: 'silent' })
    }
  }

  #speaksAgain(environmentId: string): void {
    for (const [machineId, providerState] of this.#before.get(environmentId) ?? [])
      // One that was registered anew meanwhile is asked about anew.
      if (this.#members.get(machineId)?.providerState === 'silent') this.#members.set(machineId, { providerState })
    this.#before.delete(environmentId)
  }
}
