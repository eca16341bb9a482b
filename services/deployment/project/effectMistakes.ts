import type { Step, StepOf } from '#contracts/process.ts'
import { targetsMax } from '../run/bounds.ts'
import { effectOf, undoneBy } from '../run/swap/swapState.ts'

/** What could never pass in what a step does to machines, or undoes, in words. */
export function effectMistakes(
  step: Step,
  earlier: ReadonlyMap<string, Step>,
  previous: Step | undefined,
): readonly string[] {
  const mistakes = [
    ...(step.kind === 'script' && step.effect !== undefined ? mistakesOf(step, step.effect, earlier) : []),
    ...(step.kind === 'script' && step.undoes !== undefined ? undoMistakes(step, step.undoes, earlier) : []),
    ...(step.start === 'with-previous' && previous !== undefined && undoneBy(previous) !== undefined
      ? [`it cannot run beside ${previous.id}, which undoes another step`]
      : []),
  ]
  return mistakes.map((what) => `step ${step.id}: ${what}`)
}

function mistakesOf(
  { id, on, automatic, undoes }: StepOf<'script'>,
  { does, machines, minimumServing, keep }: NonNullable<StepOf<'script'>['effect']>,
  earlier: ReadonlyMap<string, Step>,
): readonly string[] {
  const mistakes: string[] = []
  if (on !== 'worker') mistakes.push('an effect is for steps on a worker')
  // Automatic deployments run beside each other, and what serves is changed by one at a time.
  if (automatic === true) mistakes.push('an effect is no part of automatic deployments')
  if (minimumServing !== undefined && does !== 'detach' && does !== 'drain')
    mistakes.push('minimumServing is for steps that detach or drain')
  if (typeof minimumServing === 'number' && minimumServing >= targetsMax)
    mistakes.push(
      `minimumServing ${minimumServing} can never be kept: a deployment takes ${targetsMax} machines at most`,
    )
  if (keep !== undefined && (does !== 'destroy' || machines !== 'previous'))
    mistakes.push('keep is for steps that destroy what served before')
  const own = typeof machines === 'object' && machines.output.startsWith(`${id}.`)
  if (does === 'create' && !own)
    mistakes.push(`a step that creates names its machines in an output of its own: ${id}.<name>`)
  if (does !== 'create' && own) mistakes.push('what it is about is not known before it runs: name an earlier step')
  if (typeof machines === 'object' && !own && earlier.get(machines.output.split('.')[0]!)?.kind !== 'script')
    mistakes.push(`output ${machines.output} is set by no script step before it`)
  const undone = undoes === undefined ? undefined : earlier.get(undoes)
  if (machines === 'undone' && (undone === undefined || effectOf(undone) === undefined))
    mistakes.push('machines undone is for steps that undo one with an effect')
  return mistakes
}

function undoMistakes(
  { on, start, when, condition, automatic, onFailure }: StepOf<'script'>,
  undoes: string,
  earlier: ReadonlyMap<string, Step>,
): readonly string[] {
  const mistakes: string[] = []
  const undone = earlier.get(undoes)
  if (on !== 'worker') mistakes.push('only steps on a worker undo others')
  if (undone === undefined) mistakes.push(`there is no step ${undoes} before it that it could undo`)
  else if (undoneBy(undone) !== undefined) mistakes.push(`step ${undoes} undoes another itself`)
  if (start === 'with-previous') mistakes.push('a step that undoes another runs alone')
  if (when !== undefined || condition === 'always')
    mistakes.push('what undoes another step has no condition of its own')
  if (onFailure === 'ask') mistakes.push('nobody is asked about what undoes another step')
  if (automatic === true) mistakes.push('what undoes another step is no part of automatic deployments')
  return mistakes
}
