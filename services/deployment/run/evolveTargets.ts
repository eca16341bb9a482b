import type { DeploymentEvent, Target } from '#contracts/deployment.ts'
import { taskKey, type Question, type Run, type RunStep, type RunTarget } from './state.ts'

type FactOf<Type extends DeploymentEvent['type']> = Extract<DeploymentEvent, { type: Type }>
type TargetFact = Extract<DeploymentEvent, { type: `Target${string}` }>

/**
 * How facts about targets change a run. For each machine the last fact that names it says whether it is a target, with
 * one exception: whom a person keeps out is none, whatever is evaluated later, until a person takes it in again.
 */
export function evolveTargets(run: Run, event: TargetFact): Run {
  switch (event.type) {
    case 'TargetsEvaluated':
      return event.data.included.reduce((so, target) => join(so, target, 0, []), run)
    case 'TargetsReevaluated':
      return reevaluated(run, event.data)
    case 'TargetsRevalidated':
      return revalidated(run, event.data)
    case 'TargetExcluded':
      return exclude(run, event.data.machineId, { cause: event.data.cause, detail: event.data.detail })
    case 'TargetExclusionRequested': {
      const { machineId, reason, requestedAt } = event.data
      return { ...run, barred: run.barred.set(machineId, { reason, requestedAt }) }
    }
    case 'TargetExclusionLifted':
      return { ...run, barred: run.barred.delete(event.data.machineId) }
    case 'TargetIncluded':
      return takenIn(run, event.data)
    case 'TargetMarkedDirty':
      return { ...run, dirty: run.dirty.add(event.data.taskId) }
    case 'TargetCleaned':
      return { ...run, dirty: run.dirty.delete(event.data.taskId) }
  }
}

const exclude = (run: Run, machineId: string, excluded: NonNullable<RunTarget['excluded']>): Run => {
  const target = run.targets.get(machineId)
  if (target === undefined || target.excluded?.cause === 'person') return run
  return { ...run, targets: run.targets.set(machineId, { ...target, excluded }) }
}

function join(run: Run, { machineId, name, roles }: Target, since: number, owes: readonly string[]): Run {
  const bar = run.barred.get(machineId)
  const before = run.targets.get(machineId)?.excluded
  const leftOut = before?.cause === 'person' ? before : null
  const excluded = bar === undefined ? leftOut : ({ cause: 'person', detail: bar.reason } as const)
  return {
    ...run,
    targets: run.targets.set(machineId, { machineId, name, roles, excluded, since, owes, takenInAt: 0 }),
  }
}

const numberOf = (run: Run, stepId: string): number => run.steps.findIndex(({ definition }) => definition.id === stepId)

const withStep = (run: Run, stepId: string, change: Partial<RunStep>): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.definition.id === stepId ? { ...step, ...change } : step)),
})

function reevaluated(run: Run, { stepId, added, removed, catchUp }: FactOf<'TargetsReevaluated'>['data']): Run {
  const left = removed.reduce(
    (so, { machineId, reason }) => exclude(so, machineId, { cause: 'replaced', detail: reason }),
    run,
  )
  const since = numberOf(run, stepId)
  const joined = added.reduce((so, target) => join(so, target, since, catchUp), left)
  return withStep(joined, stepId, { reevaluated: true, machineIds: added.map(({ machineId }) => machineId) })
}

function revalidated(run: Run, { stepId, joined, ignored, at }: FactOf<'TargetsRevalidated'>['data']): Run {
  const since = numberOf(run, stepId)
  const now = joined.reduce((so, target) => join(so, target, since, target.catchUp), run)
  const told = now.latecomers.ignored.union(ignored.map(({ machineId }) => machineId))
  return { ...now, latecomers: { ignored: told, toldAt: at } }
}

/** What it was told to stop, was given up there, or made a person leave it out, may be tried anew. */
function takenIn(run: Run, { machineId, name, roles, catchUp, at }: FactOf<'TargetIncluded'>['data']): Run {
  const target = run.targets.get(machineId)
  const isLeftOut = ({ machineId: about, answer }: Question) => about === machineId && answer === 'exclude'
  const leftOutOf = run.questions.filter(isLeftOut)
  const tasks = run.tasks.map((task) => {
    const isStopped = task.reason === 'cancelled' || task.reason === 'abandoned'
    const isWanted = isStopped || leftOutOf.has(taskKey(run, task.stepId, machineId))
    return task.machineId === machineId && isWanted ? { ...task, isWantedAgain: true } : task
  })
  const free = {
    ...{ ...run, tasks, questions: run.questions.filterNot(isLeftOut), barred: run.barred.delete(machineId) },
    ...{ latecomers: { ...run.latecomers, toldAt: at } },
    targets: target === undefined ? run.targets : run.targets.set(machineId, { ...target, excluded: null }),
  }
  const back = join(free, { machineId, name, roles }, target?.since ?? 0, catchUp)
  return { ...back, targets: back.targets.set(machineId, { ...back.targets.get(machineId)!, takenInAt: at }) }
}
