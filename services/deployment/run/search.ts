import { hasRole, workerRole } from '#contracts/eligibility.ts'
import type { StepOf } from '#contracts/process.ts'
import { judged, whyNotYet, whyOut, type Found } from './judge.ts'
import { searchGroup } from './searchGroup.ts'
import { outputNames } from './state.ts'
import type { FleetMachine, Scene, World } from './world.ts'

/**
 * The machines that a re-evaluation is about, and how many of them can be worked with now.
 * @param since what a provider said before then is not asked for
 */
export function search(scene: Scene, { from, expect }: StepOf<'reevaluate-targets'>, since: number): Found {
  if ('output' in from) return byOutput(scene, from.output)
  return 'group' in from ? searchGroup(scene, from.group, since) : byRoles(scene, from.roles, expect.min)
}

function byRoles(scene: Scene, roles: readonly string[], wanted: number): Found {
  const { created, world } = scene
  const meant = [...world.inEnvironment(created.environmentId)].filter(
    (machine) =>
      machine.registered &&
      hasRole(machine, roles) &&
      // A step changes who is a target only among those for whom the deployment has work.
      hasRole(machine, created.targetRoles) &&
      !machine.roles.includes(workerRole),
  )
  const leftOut = meant.flatMap((machine) => {
    const reason = whyOut(scene, machine) ?? whyNotYet(machine)
    return reason === null ? [] : [{ machineId: machine.machineId, name: machine.name, reason }]
  })
  const out = new Set(leftOut.map(({ machineId }) => machineId))
  const ready = meant.filter(({ machineId }) => !out.has(machineId))
  return { ready, missing: [], leftOut, wanted, registered: meant.length, error: null }
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

function byOutput(scene: Scene, output: string): Found {
  const { run, created, world } = scene
  const names = outputNames(run, output)
  const membersCalled = byNameOrId(world, created.environmentId)
  const meant = names.map((name) => ({
    name,
    machine: membersCalled(name).find(({ registered }) => registered) ?? world.machine(name),
  }))
  const error = names.length === 0 ? `output ${output} names no machine` : null
  return error === null ? judged(scene, meant) : { ...judged(scene, []), error }
}
