import type { GuardCode, SwapMachine } from '#contracts/swap.ts'
import { effectMachinesMax, type Effect } from '#contracts/steps/effect.ts'
import { speakDuration } from '#libs/units.ts'
import { listed } from '../state.ts'
import { countOf } from '../window.ts'
import type { FleetMachine, Scene } from '../world.ts'
import { mayServe, serves, type Serving } from './serving.ts'
import { effectOf, servingNow } from './swapState.ts'

/** What the guard has seen, and why the step may not begin; `refused` is null when it may. */
export interface Judgement {
  readonly serving: number
  readonly healthy: number
  readonly minimum: number | null
  readonly refused: { readonly code: GuardCode; readonly detail: string; readonly isFinal: boolean } | null
}

/**
 * Whether a step may change what serves now: detaching leaves as many healthy ones as are to stay, what serves is never
 * destroyed, and what is being destroyed is never attached. What is not sure to serve counts for neither side.
 */
export function judge(scene: Scene, effect: Effect, machines: readonly SwapMachine[]): Judgement {
  const now = servingNow(scene)
  const sure = serves(now).filter(({ machineId }) => isWell(scene.world.machine(machineId)))
  const seen = { serving: serves(now).length, healthy: sure.length, minimum: null }
  if (machines.length > effectMachinesMax) {
    const detail = `${machines.length} machines, at most ${effectMachinesMax}`
    return { ...seen, refused: { code: 'MACHINES_TOO_MANY', detail, isFinal: true } }
  }
  switch (effect.does) {
    case 'create':
      return { ...seen, refused: null }
    case 'attach':
      return { ...seen, refused: unready(scene, now, effect, machines) }
    case 'destroy':
      return { ...seen, refused: stillServing(scene, now, machines) }
    case 'detach':
    case 'drain':
      return { ...seen, ...tooFew(scene, now, effect, machines) }
  }
}

/** Whoever died or was removed does not serve, whatever a load balancer thinks. */
const isWell = (machine: FleetMachine | undefined): boolean =>
  machine !== undefined &&
  machine.registered &&
  machine.enabled &&
  !machine.quarantined &&
  (machine.status === 'healthy' || machine.status === 'degraded')

/** What has to stay is counted against what served when the run first touched it, so that a swap does not lower it. */
function tooFew(
  scene: Scene,
  now: Serving,
  { minimumServing, machines: which }: Effect,
  machines: readonly SwapMachine[],
): Pick<Judgement, 'minimum' | 'refused'> {
  const { run, world } = scene
  const first = run.swap.facts.find((fact) => fact.type === 'EffectBegun')
  const before = first?.type === 'EffectBegun' ? first.data.serving : serves(now).length
  const stated = minimumServing === undefined ? mostStated(run, before) : countOf(minimumServing, before)
  // To undo is to bring back what was before: where nothing served, nothing has to.
  const minimum = which === 'undone' ? Math.min(stated, before) : stated
  const leaving = new Set(machines.flatMap(({ machineId }) => machineId ?? []))
  const left = serves(now).filter(({ machineId }) => !leaving.has(machineId) && isWell(world.machine(machineId))).length
  // What makes nothing worse may go on, also when there is too little already.
  const isLoss = [...leaving].some((id) => mayServe(now, id) && isWell(world.machine(id)))
  if (left >= minimum || !isLoss) return { minimum, refused: null }
  const detail = `${left} healthy machines would be left that serve, and ${minimum} are to stay`
  return { minimum, refused: { code: 'SERVING_TOO_FEW', detail: `${detail}${asOf(scene)}`, isFinal: false } }
}

/** A step that does not say how much is to stay keeps as much as any other does: also what undoes them. */
const mostStated = ({ steps }: Scene['run'], before: number): number =>
  Math.max(
    1,
    ...steps.map(({ definition }) => {
      const stated = effectOf(definition)?.minimumServing
      return stated === undefined ? 1 : countOf(stated, before)
    }),
  )

function stillServing(scene: Scene, now: Serving, machines: readonly SwapMachine[]): Judgement['refused'] {
  const { created, world } = scene
  const { projectId, environmentId } = created
  const guarded = machines.filter(({ machineId }) => {
    if (machineId === null || world.machine(machineId)?.registered !== true) return false
    return mayServe(now, machineId) || world.servings.elsewhere(machineId, projectId, environmentId) !== null
  })
  if (guarded.length === 0) return null
  const detail = `${listed(guarded.map(({ name }) => name))}: detach what may serve before it is destroyed`
  return { code: 'STILL_SERVES', detail: `${detail}${asOf(scene)}`, isFinal: true }
}

function unready(
  scene: Scene,
  now: Serving,
  { machines: which }: Effect,
  machines: readonly SwapMachine[],
): Judgement['refused'] {
  if (machines.length === 0 && which !== 'undone')
    return { code: 'MACHINES_NONE', detail: 'there is no machine to attach', isFinal: true }
  const isEnding = ({ machineId }: SwapMachine) =>
    ['doomed', 'gone'].includes(now.members.get(machineId ?? '')?.standing ?? 'out')
  const ending = machines.filter(isEnding)
  if (ending.length > 0)
    return { code: 'BEING_DESTROYED', detail: listed(ending.map(({ name }) => name)), isFinal: true }
  const ill = machines.filter(({ machineId }) => !isReady(scene, machineId))
  if (ill.length === 0) return null
  const detail = `${listed(ill.map(({ name }) => name))}: not registered here and healthy`
  return { code: 'MACHINES_NOT_READY', detail: `${detail}${asOf(scene)}`, isFinal: false }
}

export const isReady = ({ world, created }: Scene, machineId: string | null): boolean => {
  const machine = world.machine(machineId ?? '')
  return isWell(machine) && machine?.environmentId === created.environmentId
}

/** How old that knowledge is: nothing is older than the break before it, and all up to the position is in it. */
const asOf = ({ world, nowMs }: Scene): string =>
  ` (as of position ${world.position}, listening for ${speakDuration(Math.max(0, nowMs - world.listeningSince))})`
