import { hasRole, workerRole } from '#contracts/eligibility.ts'
import type { StepOf } from '#contracts/process.ts'
import { mayReturn, outputNames } from './state.ts'
import { conditionOf, isContactable, type FleetMachine, type Scene, type World } from './world.ts'

export interface Found {
  readonly ready: readonly FleetMachine[]
  /** What is still waited for, in words. */
  readonly missing: readonly string[]
  /** What no waiting will put right; null when there is nothing of the kind. */
  readonly error: string | null
}

/** The machines that a re-evaluation is about, and how many of them can be worked with now. */
export function search(scene: Scene, { from }: StepOf<'reevaluate-targets'>): Found {
  return 'roles' in from ? byRoles(scene, from.roles) : byOutput(scene, from.output)
}

function byRoles({ run, created, world }: Scene, roles: readonly string[]): Found {
  const ready = [...world.inEnvironment(created.environmentId)].filter(
    (machine) =>
      hasRole(machine, roles) &&
      !machine.roles.includes(workerRole) &&
      machine.enabled &&
      isContactable(machine) &&
      mayReturn(run.targets.get(machine.machineId)),
  )
  return { ready, missing: [], error: null }
}

/**
 * The machines of an environment, also removed ones, that go by a name. Names may be used again after a removal; an id
 * is that of one machine, whatever others are called.
 */
export function byNameOrId(world: World, environmentId: string): (called: string) => readonly FleetMachine[] {
  const members = [...world.inEnvironment(environmentId)]
  const ids = new Map(members.map((machine) => [machine.machineId, [machine]]))
  const names = Map.groupBy(members, ({ name }) => name)
  return (called) => ids.get(called) ?? names.get(called) ?? []
}

function byOutput({ run, created, world }: Scene, output: string): Found {
  const names = outputNames(run, output)
  if (names.length === 0) return { ready: [], missing: [], error: `output ${output} names no machine` }
  const membersCalled = byNameOrId(world, created.environmentId)
  const ready = new Map<string, FleetMachine>()
  const missing: string[] = []
  for (const name of names) {
    const machine = membersCalled(name).find(({ registered }) => registered)
    if (machine?.roles.includes(workerRole)) return { ready: [], missing, error: `${name} is a worker and no target` }
    if (machine === undefined) missing.push(`${name} is not registered in ${created.environmentId}`)
    else if (!mayReturn(run.targets.get(machine.machineId))) continue
    else if (!machine.enabled) missing.push(`${name} is disabled`)
    else if (!isContactable(machine)) missing.push(`${name} is ${conditionOf(machine)}`)
    else ready.set(machine.machineId, machine)
  }
  return { ready: [...ready.values()], missing, error: null }
}
