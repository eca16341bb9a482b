import type { Cause, Recorded } from '#contracts/message.ts'
import { wholePolicy } from '#contracts/policySettings.ts'
import type { NewsOf } from '../news.ts'
import type { KnownMachine } from './match.ts'

const observed = [
  ...(['EnvironmentCreated', 'EnvironmentPolicyChanged'] as const),
  ...(['MachineRegistered', 'MachineReregistered', 'MachineChanged', 'MachineRestored'] as const),
  ...(['MachineDeregistered', 'ProviderAnswered'] as const),
] as const
type RosterNews = NewsOf<(typeof observed)[number]>
const observedTypes: ReadonlySet<string> = new Set(observed)
const isRosterNews = (event: Recorded): event is RosterNews => observedTypes.has(event.type)

/** An environment whose policy names a provider, and the event by which it does. */
interface Listener {
  readonly provider: string
  readonly by: Pick<Cause, 'causationId' | 'correlationId'>
}

interface Entry extends KnownMachine {
  readonly registered: boolean
  /** Whether the provider of its environment has said anything of it since it is registered there. */
  readonly spokenOf: boolean
}

const instanceIdOf = (attributes: Readonly<Record<string, string>>): string | null => attributes['instanceId'] ?? null

/** Which environments listen to which provider, and the machines that can be spoken of there. */
export class Roster {
  readonly #listeners = new Map<string, Listener>()
  readonly #machines = new Map<string, Entry>()
  /** By environment: its registered machines. */
  readonly #registered = new Map<string, Map<string, Entry>>()

  /** @returns the provider that an environment listens to from now on, if it did not before */
  apply(event: Recorded): string | null {
    if (!isRosterNews(event)) return null
    switch (event.type) {
      case 'EnvironmentCreated':
      case 'EnvironmentPolicyChanged':
        return this.#listen(event)
      case 'MachineRegistered': {
        const { machineId, environmentId, name, attributes } = event.data
        const instanceId = instanceIdOf(attributes)
        this.#set({ machineId, environmentId, name, instanceId, registered: true, spokenOf: false })
        return null
      }
      case 'MachineReregistered':
        return this.#change(event.data.machineId, { instanceId: instanceIdOf(event.data.attributes) })
      case 'MachineChanged': {
        const { machineId, environmentId, name } = event.data
        const moved = this.#machines.get(machineId)?.environmentId !== environmentId
        return this.#change(machineId, { environmentId, name, ...(moved ? { spokenOf: false } : {}) })
      }
      case 'MachineRestored': {
        const { machineId, environmentId, name } = event.data
        return this.#change(machineId, { environmentId, name, registered: true, spokenOf: false })
      }
      case 'MachineDeregistered':
        return this.#change(event.data.machineId, { registered: false })
      case 'ProviderAnswered':
        return this.#spoken(event.data)
    }
  }

  listener(environmentId: string): Listener | undefined {
    return this.#listeners.get(environmentId)
  }

  listeners(): Iterable<readonly [environmentId: string, listener: Listener]> {
    return this.#listeners
  }

  listeningTo(provider: string): readonly string[] {
    return [...this.#listeners].filter(([, one]) => one.provider === provider).map(([environmentId]) => environmentId)
  }

  /** The machines that are registered in the environment, by their ids. */
  registered(environmentId: string): ReadonlyMap<string, Entry> {
    return this.#registered.get(environmentId) ?? new Map()
  }

  #listen({ data, meta }: NewsOf<'EnvironmentCreated' | 'EnvironmentPolicyChanged'>): string | null {
    const { environmentId, policy } = data
    const { provider } = wholePolicy(policy).dynamicRegistration
    const before = this.#listeners.get(environmentId)?.provider ?? null
    if (provider === before) return null
    // What another provider said is nothing that this one has said.
    for (const machineId of [...this.registered(environmentId).keys()]) this.#change(machineId, { spokenOf: false })
    if (provider === null) this.#listeners.delete(environmentId)
    else
      this.#listeners.set(environmentId, { provider, by: { causationId: meta.id, correlationId: meta.correlationId } })
    return provider
  }

  #spoken({ environmentId, provider, machines }: NewsOf<'ProviderAnswered'>['data']): null {
    if (this.#listeners.get(environmentId)?.provider !== provider) return null
    for (const { machineId } of machines)
      if (this.#machines.get(machineId)?.environmentId === environmentId) this.#change(machineId, { spokenOf: true })
    return null
  }

  #change(machineId: string, part: Partial<Entry>): null {
    const before = this.#machines.get(machineId)
    if (before !== undefined) this.#set({ ...before, ...part })
    return null
  }

  #set(machine: Entry): void {
    const { machineId, environmentId, registered } = machine
    const before = this.#machines.get(machineId)
    if (before !== undefined) this.#registered.get(before.environmentId)?.delete(machineId)
    this.#machines.set(machineId, machine)
    if (!registered) return
    const group = this.#registered.get(environmentId)
    if (group === undefined) this.#registered.set(environmentId, new Map([[machineId, machine]]))
    else group.set(machineId, machine)
  }
}
