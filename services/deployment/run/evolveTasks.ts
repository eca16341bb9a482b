import type { DeploymentEvent } from '#contracts/deployment.ts'
import { isActive, taskKey, type Run, type RunTask } from './state.ts'

type FactOf<Type extends string> = Extract<DeploymentEvent, { type: Type }>

/** How facts about tasks change a run. A task ends once: what comes after that changes nothing. */
export function evolveTasks(run: Run, event: FactOf<`Task${string}`>): Run {
  const { taskId } = event.data
  switch (event.type) {
    case 'TaskDispatched':
      return dispatched(run, event.data)
    case 'TaskStarted':
      return withTask(run, taskId, { state: 'started' })
    case 'TaskCancelRequested':
      return withTask(run, taskId, { cancelRequested: true })
    case 'TaskSucceeded':
      return succeeded(run, event.data)
    case 'TaskFailed': {
      const { reason, exitCode, failedAt } = event.data
      return withTask(run, taskId, { state: 'failed', reason, exitCode, endedAt: failedAt })
    }
    case 'TaskLost': {
      const { reason, failedAt } = event.data
      return withTask(run, taskId, { state: 'lost', reason, endedAt: failedAt })
    }
  }
}

function withTask(run: Run, taskId: string, change: Partial<RunTask>): Run {
  const before = run.tasks.get(taskId)
  if (before === undefined || !isActive(before)) return run
  const task = { ...before, ...change }
  const active = isActive(task) ? run.active : run.active.delete(taskId)
  return { ...run, active, tasks: run.tasks.set(taskId, task) }
}

function dispatched(run: Run, about: FactOf<'TaskDispatched'>['data']): Run {
  const { taskId, stepId, machineId, attempt, dispatchedAt, timeLimitMs } = about
  const key = taskKey(run, stepId, machineId)
  const before = run.tasks.get(run.latest.get(key) ?? '')
  // What a person wants to be tried again begins anew, with all its tries and all its time.
  const goesOn = before !== undefined && !before.isWantedAgain
  const task: RunTask = {
    ...{ taskId, stepId, machineId, attempt, dispatchedAt, timeLimitMs },
    begunAt: goesOn ? before.begunAt : dispatchedAt,
    triesBefore: goesOn ? before.triesBefore : attempt - 1,
    isWantedAgain: false,
    state: 'dispatched',
    reason: null,
    exitCode: null,
    endedAt: 0,
    cancelRequested: false,
  }
  return {
    ...run,
    latest: run.latest.set(key, taskId),
    tasks: run.tasks.set(taskId, task),
    active: run.active.add(taskId),
  }
}

function succeeded(run: Run, { taskId, stepId, machineId, outputs }: FactOf<'TaskSucceeded'>['data']): Run {
  const done = withTask(run, taskId, { state: 'succeeded' })
  if (done === run) return run
  const target = run.targets.get(machineId)
  const paid = target?.owes.includes(stepId)
    ? run.targets.set(machineId, { ...target, owes: target.owes.filter((owed) => owed !== stepId) })
    : run.targets
  const said = Object.keys(outputs).length > 0 ? [...run.outputs, { stepId, machineId, values: outputs }] : run.outputs
  return { ...done, targets: paid, outputs: said }
}
