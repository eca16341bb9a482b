import { verdictOn } from '../attempts.ts'
import { anyWorker, latestTask, type RunStep } from '../state.ts'
import type { Hold, Scene } from '../world.ts'
import { guardHold } from './effectStep.ts'
import { effectOf } from './swapState.ts'

/** Why a step is not begun that would change what serves; null when none waits for that. */
export function heldBack(scene: Scene): Hold | null {
  for (const step of scene.run.steps) {
    const hold = step.state === 'running' && effectOf(step.definition) !== undefined ? holdOf(scene, step) : null
    if (hold !== null) return hold
  }
  return null
}

function holdOf(scene: Scene, step: RunStep): Hold | null {
  const { definition } = step
  if (definition.kind !== 'script') return null
  const task = latestTask(scene.run, definition.id, anyWorker)
  return verdictOn(task, definition, scene.nowMs) === 'due' ? guardHold(scene, step, task) : null
}
