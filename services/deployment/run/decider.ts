import type { TaskResult } from '#contracts/taskResult.ts'
import type { DeploymentEvent } from '#contracts/deployment.ts'
import { optionsOf } from '#contracts/deploymentOptions.ts'
import { isRefusal, refuse, type Decider, type Decision } from '#libs/decider.ts'
import { decided, type PersonsWord } from './decision.ts'
import { evolve } from './evolve.ts'
import { barred, takenInAgain, type PersonsChoice } from './exclusion.ts'
import { planHolding } from './holding.ts'
import { plan } from './plan.ts'
import { noRun } from './noRun.ts'
import type { Created, Run, RunTask } from './state.ts'
import { reportedBy } from './swap/reported.ts'
import type { World } from './world.ts'

/** What is asked of a run. `Advance` asks nothing: it lets the run take the steps that are due. */
export type RunRequest =
  | { readonly type: 'Create'; readonly data: Omit<Created, 'createdAt'> }
  | { readonly type: 'Advance' }
  | { readonly type: 'Cancel'; readonly reason: string }
  | ({ readonly type: 'Decide' } & PersonsWord)
  | ({ readonly type: 'ExcludeTarget' | 'IncludeTarget' } & PersonsChoice)
  | { readonly type: 'RecordTaskStarted'; readonly taskId: string; readonly machineId: string }
  | {
      readonly type: 'RecordTaskResult'
      readonly taskId: string
      readonly machineId: string
      readonly result: TaskResult
    }

/** Every request brings the time and the fleet as the engine sees it, for the planning that follows each answer. */
export type RunCommand = RunRequest & { readonly world: World; readonly nowMs: number }

/**
 * What one decision says at most, well below what a store takes at once. The rest is not lost: a plan that is asked again
 * gives what is still due.
 */
export const factsPerDecisionMax = 500
/** A plan that never rests is a fault, and is stopped here. */
const passesMax = 1_000
/** In a larger run a report is only recorded: planning for each of thousands would cost more than one `Advance` soon. */
const plannedTargetsMax = 100

export const run: Decider<Run, RunCommand, DeploymentEvent> = {
  initial: noRun,
  evolve,

  /**
   * First the answer to the request, then whatever is due because of it, as far as it fits: stored together or not at
   * all. It is planned to the end in any case, so that a plan without an end is noticed before it fills a store.
   */
  decide(command, state) {
    const answer = answerTo(command, state)
    if (isRefusal(answer)) return answer
    if (isOnlyRecorded(command, state)) return answer
    const facts = [...answer]
    let now = answer.reduce(evolve, state)
    for (let pass = 0; pass < passesMax; pass++) {
      const next = due(now, command)
      if (next.length === 0) return facts.slice(0, factsPerDecisionMax)
      facts.push(...next)
      now = next.reduce(evolve, now)
    }
    throw new Error(`the plan of deployment ${state.created?.deploymentId} does not come to rest`)
  },
}

function answerTo(command: RunCommand, state: Run): Decision<DeploymentEvent> {
  if (command.type === 'Create') return created(command, state)
  if (state.created === null) return refuse('DEPLOYMENT_UNKNOWN', 'there is no deployment with this id')
  const { deploymentId } = state.created

  switch (command.type) {
    case 'Advance':
      return []
    case 'ExcludeTarget':
    case 'IncludeTarget':
      if (state.status === 'ended') return refuse('DEPLOYMENT_ENDED', `deployment ${deploymentId} has ended already`)
      return (command.type === 'ExcludeTarget' ? barred : takenInAgain)(state, state.created, command, command)
    case 'Cancel':
      if (state.status === 'ended') return refuse('DEPLOYMENT_ENDED', `deployment ${deploymentId} has ended already`)
      if (state.cancel !== null) return []
      return [
        {
          type: 'DeploymentCancelRequested',
          data: { deploymentId, reason: command.reason, requestedAt: command.nowMs },
        },
      ]
    case 'Decide':
      return decided(state, deploymentId, command, command.nowMs)
    case 'RecordTaskStarted':
      return ownTask(command, state, (task) =>
        task.state === 'dispatched'
          ? [{ type: 'TaskStarted', data: { ...runOf(deploymentId, task), startedAt: command.nowMs } }]
          : [],
      )
    case 'RecordTaskResult':
      return ownTask(command, state, (task) => [
        ...cleanedBy(deploymentId, task, state),
        ...reportedBy(state, deploymentId, task, command.result),
        ...resultOf(deploymentId, task, command.result, command.nowMs),
      ])
  }
}

const due = (state: Run, { world, nowMs }: RunCommand): readonly DeploymentEvent[] => {
  const next = plan(state, world, nowMs)
  return next.length > 0 ? next : planHolding(state, world, nowMs)
}

/** Nothing follows from a start; what follows from a result is left to the next `Advance` when there are very many. */
const isOnlyRecorded = ({ type }: RunRequest, { targets }: Run): boolean =>
  type === 'RecordTaskStarted' || (type === 'RecordTaskResult' && targets.size > plannedTargetsMax)

function created({ data, nowMs }: Extract<RunCommand, { type: 'Create' }>, state: Run): Decision<DeploymentEvent> {
  if (state.created === null) return [{ type: 'DeploymentCreated', data: { ...data, createdAt: nowMs } }]
  const { deploymentId, projectId, version, environmentId } = state.created
  if (wantedOf(data) === wantedOf(state.created)) return []
  const what = `${projectId} ${version} to ${environmentId}`
  return refuse('DEPLOYMENT_EXISTS', `${deploymentId} is another deployment: ${what}, as it was asked for then`)
}

const wantedOf = (data: Omit<Created, 'createdAt'>): string => {
  const { projectId, version, environmentId, kind, machineIds } = data
  return JSON.stringify([projectId, version, environmentId, kind, machineIds, optionsOf(data)])
}

/** A machine speaks for its own tasks only; what it says of a task that has ended changes nothing. */
function ownTask(
  { taskId, machineId }: { readonly taskId: string; readonly machineId: string },
  state: Run,
  answer: (task: RunTask) => readonly DeploymentEvent[],
): Decision<DeploymentEvent> {
  const task = state.tasks.get(taskId)
  if (task === undefined) return refuse('TASK_UNKNOWN', `this deployment has no task ${taskId}`)
  if (task.machineId !== machineId) return refuse('TASK_FOREIGN', `task ${taskId} is not for machine ${machineId}`)
  return answer(task)
}

const runOf = (deploymentId: string, { taskId, machineId, stepId, attempt }: RunTask) => ({
  deploymentId,
  taskId,
  machineId,
  stepId,
  attempt,
})

/** What was given up has ended after all, so its machine is free for others. */
const cleanedBy = (deploymentId: string, { taskId, machineId }: RunTask, { dirty }: Run): readonly DeploymentEvent[] =>
  dirty.has(taskId) ? [{ type: 'TargetCleaned', data: { deploymentId, taskId, machineId } }] : []

function resultOf(deploymentId: string, task: RunTask, result: TaskResult, nowMs: number): readonly DeploymentEvent[] {
  if (task.state !== 'dispatched' && task.state !== 'started') return []
  const about = runOf(deploymentId, task)
  const { durationMs, logTruncated } = result
  if (result.outcome === 'succeeded')
    return [{ type: 'TaskSucceeded', data: { ...about, outputs: result.outputs, durationMs, logTruncated } }]
  const { reason, exitCode, detail } = result
  return [
    { type: 'TaskFailed', data: { ...about, reason, exitCode, detail, durationMs, logTruncated, failedAt: nowMs } },
  ]
}
