import type { DeploymentEvent } from '#contracts/deployment.ts'
import type { Step } from '#contracts/process.ts'
import type { OutputEntry, Run } from '../state.ts'
import { evolveServing, isServingFact, type Serving, type ServingFact } from './serving.ts'
import type { Scene } from '../world.ts'

/** What a run has done to what serves. */
export interface Swap {
  /** In their order; what others did in the meantime is not among them, since they take turns. */
  readonly facts: readonly ServingFact[]
  /** What attempts said that did not succeed. */
  readonly reported: readonly (OutputEntry & { readonly taskId: string })[]
}

export const noSwap: Swap = { facts: [], reported: [] }

export type SwapFact = ServingFact | Extract<DeploymentEvent, { type: 'OutputsReported' }>

export const isSwapFact = (event: DeploymentEvent): event is SwapFact =>
  event.type === 'OutputsReported' || isServingFact(event)

export function evolveSwap(run: Run, fact: SwapFact): Run {
  const { swap } = run
  if (fact.type !== 'OutputsReported') return { ...run, swap: { ...swap, facts: [...swap.facts, fact] } }
  const { stepId, machineId, taskId, outputs: values } = fact.data
  return { ...run, swap: { ...swap, reported: [...swap.reported, { stepId, machineId, taskId, values }] } }
}

/** What serves now. The world may not have heard yet what this run did last, so that is added once more. */
export const servingNow = ({ run, created, world }: Scene): Serving =>
  run.swap.facts.reduce(evolveServing, world.servings.at(created.projectId, created.environmentId))

export const effectOf = (definition: Step) => (definition.kind === 'script' ? definition.effect : undefined)
export const undoneBy = (definition: Step): string | undefined =>
  definition.kind === 'script' ? definition.undoes : undefined

/** The facts with which the attempts of a step began. */
export const begunBy = ({ swap }: Run, stepId: string) =>
  swap.facts.flatMap((fact) => (fact.type === 'EffectBegun' && fact.data.stepId === stepId ? [fact.data] : []))

/** A run as a step sees it that undoes another: with what was said by attempts that did not succeed. */
export const seenBy = (run: Run, definition: Step): Run =>
  undoneBy(definition) === undefined ? run : { ...run, outputs: [...run.outputs, ...run.swap.reported] }
