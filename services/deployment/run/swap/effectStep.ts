import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { StepOf } from '#contracts/process.ts'
import type { SwapMachine } from '#contracts/swap.ts'
import type { Effect } from '#contracts/steps/effect.ts'
import { retryAt } from '../attempts.ts'
import { outputNames, type RunStep, type RunTask, type TriedStep } from '../state.ts'
import { waitingSince, type Scene } from '../world.ts'
import { chosenFor } from './chosen.ts'
import { isReady, judge, type Judgement } from './guard.ts'
import { begunBy, effectOf, servingNow, undoneBy } from './swapState.ts'

type Facts = readonly DeploymentEvent[]
const codeOf = ({ code, detail }: NonNullable<Judgement['refused']>) => `${code}: ${detail}`

/**
 * What comes before an attempt that changes what serves, with the newest that is known: the fact with which it begins,
 * or what happens instead of it, which may be nothing as long as it may wait.
 */
export function beforeAttempt(
  scene: Scene,
  step: RunStep,
  definition: TriedStep,
  task: RunTask | undefined,
): { readonly begins: Facts } | { readonly instead: Facts } {
  const effect = effectOf(definition)
  if (effect === undefined || definition.kind !== 'script') return { begins: [] }
  const { created, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId: definition.id }
  const { machines, judgement } = consider(scene, definition, effect)
  if (hasNothingToDo(definition, effect, machines) && task === undefined)
    return { instead: [{ type: 'StepSkipped', data: { ...about, reason: `there is no machine to ${effect.does}` } }] }
  const { refused } = judgement
  if (refused === null) return { begins: [begun(scene, definition, effect, machines, judgement, task)] }
  if (!refused.isFinal && nowMs < waitsUntil(scene, step, definition, effect, task)) return { instead: [] }
  return { instead: [{ type: 'StepFailed', data: { ...about, reason: codeOf(refused) } }] }
}

/** Why a step that could begin waits, and until when at most; null when it does not. */
export function guardHold(scene: Scene, step: RunStep, task: RunTask | undefined) {
  const { definition } = step
  const effect = effectOf(definition)
  if (effect === undefined || definition.kind !== 'script') return null
  const { refused } = consider(scene, definition, effect).judgement
  if (refused === null || refused.isFinal) return null
  const until = waitsUntil(scene, step, definition, effect, task)
  return { reason: 'capacity', detail: `step ${definition.id}: ${codeOf(refused)}`, until } as const
}

function consider(scene: Scene, definition: StepOf<'script'>, effect: Effect) {
  const all = chosenFor(scene, definition, effect)
  // A set that served before is attached as far as it still lives: that is more than nothing.
  const isSome = effect.does === 'attach' && (effect.machines === 'previous' || effect.machines === 'undone')
  const ready = isSome ? all.filter(({ machineId }) => isReady(scene, machineId)) : []
  const machines = ready.length > 0 ? ready : all
  return { machines, judgement: judge(scene, effect, machines) }
}

/** What undoes a step runs in any case: what a lost attempt made is known to its script alone, if to anyone. */
const hasNothingToDo = (definition: TriedStep, { does }: Effect, machines: readonly SwapMachine[]): boolean =>
  machines.length === 0 && does !== 'create' && does !== 'attach' && undoneBy(definition) === undefined

const waitsUntil = (
  scene: Scene,
  { startedAt }: RunStep,
  definition: TriedStep,
  { waitMs }: Effect,
  task: RunTask | undefined,
): number => waitingSince(scene, task === undefined ? startedAt : retryAt(task, definition)) + waitMs

function begun(
  { created, world, nowMs }: Scene,
  { id: stepId }: TriedStep,
  { does }: Effect,
  machines: readonly SwapMachine[],
  { serving, healthy, minimum }: Judgement,
  task: RunTask | undefined,
): DeploymentEvent {
  const { deploymentId, projectId, environmentId } = created
  const about = { deploymentId, stepId, projectId, environmentId, attempt: (task?.attempt ?? 0) + 1, does, machines }
  const listeningMs = Math.max(0, Math.round(nowMs - world.listeningSince))
  const seen = { serving, healthy, minimum, seenPosition: world.position, listeningMs }
  return { type: 'EffectBegun', data: { ...about, ...seen } }
}

/** What is true when the attempt has succeeded; `problem` where it did not say what it has made. */
export function effectDone(scene: Scene, definition: TriedStep): Facts | { readonly problem: string } {
  const effect = effectOf(definition)
  if (effect === undefined) return []
  const { run, created } = scene
  const { deploymentId, projectId, environmentId } = created
  const about = { deploymentId, stepId: definition.id, projectId, environmentId }
  const machines = begunBy(run, definition.id).at(-1)?.machines ?? []
  switch (effect.does) {
    case 'create': {
      const names = typeof effect.machines === 'string' ? [] : outputNames(run, effect.machines.output)
      if (names.length === 0) return { problem: 'MACHINES_NONE: it says of no machine that it has made it' }
      const made = names.map((name) => ({ name, machineId: null }))
      return [{ type: 'MachinesCreated', data: { ...about, machines: made } }]
    }
    case 'attach':
      return [
        {
          type: 'ServingChanged',
          data: { ...about, change: 'attached', machines, version: versionOf(scene, machines) },
        },
      ]
    case 'detach':
    case 'drain':
      return [{ type: 'ServingChanged', data: { ...about, change: 'detached', machines, version: created.version } }]
    case 'destroy':
      return [{ type: 'MachinesDestroyed', data: { ...about, machines } }, ...deregistered(scene, about, machines)]
  }
}

/** A set that is attached again runs what it ran before. */
function versionOf(scene: Scene, machines: readonly SwapMachine[]): string {
  const { members, sets } = servingNow(scene)
  const ran = machines.map(({ machineId }) => sets.get(members.get(machineId ?? '')?.set ?? ''))
  const [first = scene.created.version] = ran
  return ran.every((version) => version === first) ? first : scene.created.version
}

/** What is destroyed is no machine any more: nobody is to look for it, or deploy to it. */
function deregistered(
  { created, world }: Scene,
  { deploymentId, stepId }: { readonly deploymentId: string; readonly stepId: string },
  machines: readonly SwapMachine[],
): Facts {
  return machines.flatMap(({ machineId, name }) => {
    const machine = world.machine(machineId ?? '')
    if (machineId === null || machine?.registered !== true || machine.environmentId !== created.environmentId) return []
    return [{ type: 'MachineDeregistrationRequested', data: { deploymentId, stepId, machineId, name } }]
  })
}
