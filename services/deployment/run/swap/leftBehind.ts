import { leftBehindMax } from '#contracts/swap.ts'
import type { Run } from '../state.ts'
import { createdBy } from './chosen.ts'
import { evolveServing, nothingServes, serves } from './serving.ts'
import { effectOf, undoneBy } from './swapState.ts'

/**
 * What a run leaves behind for which somebody pays: what it made and did not destroy, and what it was to destroy and did
 * not. What a run that went well has put to use is none of it. Not told of runs that never touch machines.
 */
export function leftBehindOf(run: Run): { readonly leftBehind?: readonly string[] } {
  if (!run.steps.some(({ definition }) => effectOf(definition) !== undefined)) return {}
  const wellEnded = run.failure === null && run.cancel === null
  const names = new Set(run.steps.flatMap(({ definition }) => madeBy(run, definition)))
  for (const fact of run.swap.facts)
    if (fact.type === 'EffectBegun' && fact.data.does === 'destroy')
      for (const { name } of fact.data.machines) names.add(name)
  for (const fact of run.swap.facts)
    if (fact.type === 'MachinesDestroyed') for (const { name } of fact.data.machines) names.delete(name)
  if (wellEnded) {
    for (const { name } of serves(run.swap.facts.reduce(evolveServing, nothingServes))) names.delete(name)
    for (const { name, excluded } of run.targets.values()) if (excluded === null) names.delete(name)
  }
  const unnamed = run.steps.flatMap(({ definition }) => unnamedOf(run, definition.id))
  return { leftBehind: [...names, ...unnamed].slice(0, leftBehindMax) }
}

const madeBy = (run: Run, definition: Run['steps'][number]['definition']): readonly string[] => {
  const effect = effectOf(definition)
  return effect?.does === 'create' ? createdBy(run, effect) : []
}

/** An attempt at making machines that said nothing may have made some: only what undoes it can know. */
function unnamedOf(run: Run, stepId: string): readonly string[] {
  const definition = run.steps.find((step) => step.definition.id === stepId)!.definition
  if (effectOf(definition)?.does !== 'create') return []
  const isUndone = run.steps.some((step) => step.state === 'succeeded' && undoneBy(step.definition) === stepId)
  const unsuccessful = run.tasks.some((task) => task.stepId === stepId && task.state !== 'succeeded')
  const hasSaid = run.swap.reported.some((said) => said.stepId === stepId)
  return unsuccessful && !hasSaid && !isUndone ? [`whatever step ${stepId} made without saying so`] : []
}
