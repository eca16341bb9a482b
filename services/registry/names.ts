import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Message, Recorded } from '#contracts/message.ts'
import type { HandlerStore } from '#libs/streamMemory.ts'
import type { Neighbours } from './machine/neighbours.ts'

/**
 * Who has which name, and which environments there are: a fold over all machines and environments, since no single
 * stream knows. It holds among the machines that this process decides about.
 */
export class Names implements Neighbours {
  readonly #environments = new Set<string>()
  readonly #holders = new Map<string, string>()
  readonly #known = new Map<string, { key: string | null; position: number }>()

  readonly environmentExists = (environmentId: string): boolean => this.#environments.has(environmentId)

  readonly holderOf = (environmentId: string, name: string): string | undefined =>
    this.#holders.get(keyOf(environmentId, name))

  /** Takes in what is stored. What was taken in before, or is older, changes nothing. */
  readonly apply = (events: readonly Recorded[]): void => {
    for (const event of events) {
      if (isCreation(event)) this.#environments.add(event.data.environmentId)
      const taking = takingOf(event)
      if (taking !== null) this.#settle(taking, event.meta.position)
    }
  }

  /**
   * The same store, but an append that would give a machine the name of another one loses as if it had lost a race:
   * whoever decided it thinks again, and is told who has the name. A name is held from the moment its append begins.
   */
  guard(store: HandlerStore): HandlerStore {
    const append: HandlerStore['append'] = async (stream, expectedVersion, facts, cause) => {
      const takings = facts.flatMap((fact) => takingOf(fact) ?? [])
      if (takings.some((taking) => this.#heldByAnother(taking))) return 'conflict'
      for (const { key, machineId } of takings) if (key !== null) this.#holders.set(key, machineId)
      try {
        const appended = await store.append(stream, expectedVersion, facts, cause)
        if (appended !== 'conflict') this.apply(appended)
        return appended
      } finally {
        for (const taking of takings) this.#releaseUnlessStored(taking)
      }
    }
    return {
      append,
      read: (...asked) => store.read(...asked),
      saveSnapshot: (...asked) => store.saveSnapshot(...asked),
      loadSnapshot: (...asked) => store.loadSnapshot(...asked),
    }
  }

  #heldByAnother({ key, machineId }: Taking): boolean {
    return key !== null && (this.#holders.get(key) ?? machineId) !== machineId
  }

  #settle({ key, machineId }: Taking, position: number): void {
    const before = this.#known.get(machineId)
    if (before !== undefined && before.position >= position) return
    if (before !== undefined && before.key !== key) this.#release(before.key, machineId)
    if (key !== null) this.#holders.set(key, machineId)
    this.#known.set(machineId, { key, position })
  }

  #release(key: string | null, machineId: string): void {
    if (key !== null && this.#holders.get(key) === machineId) this.#holders.delete(key)
  }

  #releaseUnlessStored({ key, machineId }: Taking): void {
    if (this.#known.get(machineId)?.key !== key) this.#release(key, machineId)
  }
}

interface Taking {
  readonly machineId: string
  /** The environment and the name that the machine has from now on; null: none, it is removed. */
  readonly key: string | null
}

// A space can be in neither, so no two pairs make the same key.
const keyOf = (environmentId: string, name: string) => `${environmentId} ${name}`

type Naming = Extract<MachineEvent, { type: `Machine${'Registered' | 'Changed' | 'Restored' | 'Deregistered'}` }>
const naming: ReadonlySet<string> = new Set<Naming['type']>([
  'MachineRegistered',
  'MachineChanged',
  'MachineRestored',
  'MachineDeregistered',
])
const isNaming = (fact: Message): fact is Naming => naming.has(fact.type)
const isCreation = (fact: Message): fact is Extract<EnvironmentEvent, { type: 'EnvironmentCreated' }> =>
  fact.type === 'EnvironmentCreated'

function takingOf(fact: Message): Taking | null {
  if (!isNaming(fact)) return null
  const { type, data } = fact
  const key = type === 'MachineDeregistered' ? null : keyOf(data.environmentId, data.name)
  return { machineId: data.machineId, key }
}
