import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import { byNameOrId } from './search.ts'
import { includedTargets, listed, outputNames, type RunStep } from './state.ts'
import { mayServe } from './swap/serving.ts'
import { servingNow } from './swap/swapState.ts'
import { waitingSince, type FleetMachine, type Scene } from './world.ts'

type Deregister = StepOf<'deregister-machines'>

/** Takes machines out of the registry, and never one that is a target of this very deployment. */
export function planDeregistration(
  scene: Scene,
  step: RunStep,
  { id: stepId, from, timeLimitMs }: Deregister,
): readonly DeploymentEvent[] {
  const { run, created, world, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId }
  const fail = (reason: string): readonly DeploymentEvent[] => [{ type: 'StepFailed', data: { ...about, reason } }]
  const asked = new Set(step.deregistering)
  const { leaving, unknown } = from === 'replaced' ? replaced(scene) : named(scene, asked, from.output)
  if (unknown.length > 0) return fail(`there is no machine ${listed(unknown)} in ${created.environmentId}`)
  const serving = new Set(includedTargets(run).map(({ machineId }) => machineId))
  const guarded = leaving.filter(({ machineId }) => serving.has(machineId))
  if (guarded.length > 0) return fail(`still a target of this deployment: ${namesOf(guarded)}`)

  const { projectId, environmentId } = created
  const now = servingNow(scene)
  const inUse = leaving.filter(
    ({ machineId, registered }) =>
      registered &&
      (mayServe(now, machineId) || world.servings.elsewhere(machineId, projectId, environmentId) !== null),
  )
  if (inUse.length > 0) return fail(`STILL_SERVES: ${namesOf(inUse)}: detach what may serve before it is deregistered`)

  const registered = leaving.filter((machine) => machine.registered)
  const unasked = registered.filter(({ machineId }) => !asked.has(machineId))
  if (unasked.length > 0)
    return unasked.map(({ machineId, name }) => ({
      type: 'MachineDeregistrationRequested',
      data: { ...about, machineId, name },
    }))
  if (registered.length === 0) return [{ type: 'StepSucceeded', data: about }]
  if (nowMs < waitingSince(scene, step.startedAt) + timeLimitMs) return []
  return fail(`not removed in time: ${namesOf(registered)}`)
}

interface Leaving {
  readonly leaving: readonly FleetMachine[]
  /** Names that belong to no machine that ever was in the environment. */
  readonly unknown: readonly string[]
}

/** Whoever was moved to another environment in the meantime serves there and is left alone. */
const replaced = ({ run, created, world }: Scene): Leaving => ({
  leaving: run.targets
    .valueSeq()
    .filter(({ excluded }) => excluded?.cause === 'replaced')
    .toArray()
    .flatMap(({ machineId }) => world.machine(machineId) ?? [])
    .filter(({ environmentId }) => environmentId === created.environmentId),
  unknown: [],
})

/** A name stands for the machine whose removal was asked for, also when another one has come that is called the same. */
function named({ run, created, world }: Scene, asked: ReadonlySet<string>, output: string): Leaving {
  const membersCalled = byNameOrId(world, created.environmentId)
  const leaving = new Map<string, FleetMachine>()
  const unknown: string[] = []
  for (const name of outputNames(run, output)) {
    const found = membersCalled(name)
    const meant = found.filter(({ machineId }) => asked.has(machineId))
    if (found.length === 0) unknown.push(name)
    for (const machine of meant.length > 0 ? meant : found) leaving.set(machine.machineId, machine)
  }
  return { leaving: [...leaving.values()], unknown }
}

const namesOf = (machines: readonly FleetMachine[]) => listed(machines.map(({ name }) => name))
