import type { SwapMachine } from '#contracts/swap.ts'
import type { StepOf } from '#contracts/process.ts'
import type { Effect } from '#contracts/steps/effect.ts'
import { byNameOrId } from '../search.ts'
import { includedTargets, outputNames, type Run } from '../state.ts'
import type { Scene } from '../world.ts'
import { formerSets, mayServe } from './serving.ts'
import { begunBy, effectOf, seenBy, servingNow } from './swapState.ts'

/** The machines that a step would be about if it began now. */
export function chosenFor(
  scene: Scene,
  definition: StepOf<'script'>,
  { does, machines, keep }: Effect,
): readonly SwapMachine[] {
  if (does === 'create') return []
  const { run } = scene
  switch (machines) {
    case 'targets':
      return includedTargets(run).map(({ machineId, name }) => ({ machineId, name }))
    case 'replaced':
      return [...run.targets.values()]
        .filter(({ excluded }) => excluded?.cause === 'replaced')
        .map(({ machineId, name }) => ({ machineId, name }))
    case 'previous':
      // Another attempt is about the same ones: what the last one left of them cannot be told.
      return begunBy(run, definition.id).at(-1)?.machines ?? previous(scene, does, keep ?? 0)
    case 'undone':
      return undone(scene, definition)
    default:
      return named(scene, outputNames(seenBy(run, definition), machines.output))
  }
}

/**
 * What served before this deployment. To attach: the newest set that is kept. To detach: all that may serve and that
 * this run has not attached. To destroy: the sets that are kept, but for the newest few.
 */
function previous(scene: Scene, does: Effect['does'], keep: number): readonly SwapMachine[] {
  const serving = servingNow(scene)
  const former = formerSets(serving)
  const isThere = ({ machineId }: { machineId: string }) => scene.world.machine(machineId)?.registered === true
  const attached = new Set(
    scene.run.swap.facts.flatMap(({ type, data }) =>
      type === 'EffectBegun' && data.does === 'attach' ? data.machines.map(({ machineId }) => machineId) : [],
    ),
  )
  const found =
    does === 'attach'
      ? (former[0] ?? []).filter(isThere)
      : does === 'destroy'
        ? former.slice(keep).flat()
        : [...serving.members.values()].filter(({ machineId: id }) => mayServe(serving, id) && !attached.has(id))
  return found.map(({ machineId, name }) => ({ machineId, name }))
}

/** Those that the undone step was about, in any of its attempts; of one that makes machines: those that it named. */
function undone(scene: Scene, definition: StepOf<'script'>): readonly SwapMachine[] {
  const { run } = scene
  const other = run.steps.find((step) => step.definition.id === definition.undoes)?.definition
  const effect = other && effectOf(other)
  if (other === undefined || effect === undefined) return []
  if (effect.does === 'create') return named(scene, createdBy(run, effect))
  const all = begunBy(run, other.id).flatMap(({ machines }) => machines)
  return [...new Map(all.map((machine) => [machine.machineId ?? machine.name, machine])).values()]
}

/** The names of what a step has made, also in attempts that failed. */
export const createdBy = (run: Run, { machines }: Effect): readonly string[] =>
  typeof machines === 'string'
    ? []
    : outputNames({ ...run, outputs: [...run.outputs, ...run.swap.reported] }, machines.output)

/** A name is that of a machine that is registered, or else of the last one that was; it may be of none yet. */
function named({ created, world }: Scene, names: readonly string[]): readonly SwapMachine[] {
  const called = byNameOrId(world, created.environmentId)
  return names.map((name) => {
    const found = called(name)
    const machine = found.find(({ registered }) => registered) ?? found.at(-1)
    return machine === undefined ? { name, machineId: null } : { name: machine.name, machineId: machine.machineId }
  })
}
