import type { ProviderState } from '#contracts/policy.ts'
import type { Instance } from './inventory.ts'

/** A registered machine, with what providers may call it by. */
export interface KnownMachine {
  readonly machineId: string
  readonly environmentId: string
  readonly name: string
  readonly instanceId: string | null
}

export interface Matches {
  /** By environment, then by machine: what is said of it. */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, ProviderState>>
  /** Machines that are spoken of in a way that cannot be told from another one's, so nothing is believed of them. */
  readonly unsure: ReadonlySet<string>
  /** What is unsure and why, for people. */
  readonly doubts: readonly string[]
}

interface Said {
  readonly machine: KnownMachine
  readonly all: { readonly state: ProviderState; readonly as: string }[]
}

/**
 * Finds the machines that an inventory speaks of: by id, else by instance id, else by name. Where more than one could be
 * meant, or different things are said of one, nothing is guessed.
 * @param machines those of all environments that listen to this provider: a name that two of them use is no name
 */
export function match(instances: readonly Instance[], machines: Iterable<KnownMachine>): Matches {
  const find = index(machines)
  const said = new Map<string, Said>()
  const unsure = new Set<string>()
  const doubts: string[] = []
  for (const instance of instances) {
    const { found, as } = find(instance)
    if (found.length > 1) {
      doubts.push(`${as} could be any of ${found.map(({ machineId }) => machineId).join(', ')}`)
      for (const { machineId } of found) unsure.add(machineId)
    }
    const [only] = found
    if (only === undefined || found.length > 1) continue
    const { state } = instance
    const before = said.get(only.machineId)
    if (before === undefined) said.set(only.machineId, { machine: only, all: [{ state, as }] })
    else before.all.push({ state, as })
  }
  for (const [machineId, { all }] of said) {
    if (all.every(({ state }) => state === all[0]?.state)) continue
    doubts.push(`${machineId} is listed as ${all.map(({ as, state }) => `${state} (${as})`).join(' and ')}`)
    unsure.add(machineId)
  }
  return { states: certain(said.values(), unsure), unsure, doubts }
}

function certain(said: Iterable<Said>, unsure: Matches['unsure']): Matches['states'] {
  const states = new Map<string, Map<string, ProviderState>>()
  for (const { machine, all } of said) {
    const { machineId, environmentId } = machine
    const [one] = all
    if (one === undefined || unsure.has(machineId)) continue
    const group = states.get(environmentId)
    if (group === undefined) states.set(environmentId, new Map([[machineId, one.state]]))
    else group.set(machineId, one.state)
  }
  return states
}

interface Found {
  readonly found: readonly KnownMachine[]
  /** What it was looked for by. */
  readonly as: string
}

const nobody: readonly KnownMachine[] = []

/** Finds whom an instance could be among these machines: nobody, one, or more than can be told apart. */
export function index(machines: Iterable<KnownMachine>): (instance: Instance) => Found {
  const byId = new Map<string, KnownMachine[]>()
  const byInstanceId = new Map<string, KnownMachine[]>()
  const byName = new Map<string, KnownMachine[]>()
  for (const machine of machines) {
    file(byId, machine.machineId, machine)
    file(byName, machine.name, machine)
    if (machine.instanceId !== null) file(byInstanceId, machine.instanceId, machine)
  }
  return ({ id, instanceId, name, environment }) => {
    const here = (all: readonly KnownMachine[] = nobody) =>
      environment == null ? all : all.filter((one) => one.environmentId === environment)
    // An id leaves no doubt which machine is meant, also when we do not know it.
    if (id != null) return { found: here(byId.get(id)), as: `id ${id}` }
    const same = instanceId == null ? nobody : here(byInstanceId.get(instanceId))
    if (instanceId != null && (same.length > 0 || name == null)) return { found: same, as: `instanceId ${instanceId}` }
    if (name == null) return { found: nobody, as: '' }
    // A machine that is another instance only wears the name that this one had: it was made anew.
    const named = here(byName.get(name)).filter((one) => instanceId == null || one.instanceId === null)
    return { found: named, as: `name ${name}` }
  }
}

function file(drawers: Map<string, KnownMachine[]>, label: string, machine: KnownMachine): void {
  const drawer = drawers.get(label)
  if (drawer === undefined) drawers.set(label, [machine])
  else drawer.push(machine)
}
