import { hasRole } from '#contracts/eligibility.ts'
import type { DeploymentEvent, TargetOutcome } from '#contracts/deployment.ts'
import { fitting } from './bounds.ts'
import { questionAbout } from './questions.ts'
import { unreached } from './scriptFacts.ts'
import {
  isPartOf,
  isRolling,
  latestTask,
  skippedByFailure,
  type Created,
  type Run,
  type RunStep,
  type RunTarget,
} from './state.ts'
import { undoFailures } from './swap/compensation.ts'
import { leftBehindOf } from './swap/leftBehind.ts'

/** The last fact of a run that went through its steps: every target it ever had gets an outcome. */
export function finished(run: Run, { deploymentId }: Created): DeploymentEvent {
  const outcomes = fitting(outcomesOf(run))
  return run.failure === null
    ? { type: 'DeploymentSucceeded', data: { deploymentId, outcomes, ...leftBehindOf(run) } }
    : {
        type: 'DeploymentFailed',
        data: { deploymentId, reason: run.failure + undoFailures(run), outcomes, ...leftBehindOf(run) },
      }
}

export const cancelled = (run: Run, { deploymentId }: Created, reason: string): DeploymentEvent => ({
  type: 'DeploymentCancelled',
  data: {
    ...{ deploymentId, reason: reason + undoFailures(run), outcomes: fitting(outcomesOf(run)) },
    ...leftBehindOf(run),
  },
})

export function outcomesOf(run: Run) {
  const steps = run.steps.flatMap((step, number) => (isForTargets(run, step) ? [{ ...step, number }] : []))
  const members = new Map(steps.map(({ definition, machineIds }) => [definition.id, new Set(machineIds)]))
  const ran = (stepId: string, machineId: string) => members.get(stepId)?.has(machineId) === true
  return run.targets
    .valueSeq()
    .map((target) => {
      const due = steps.filter((step) => concerns(run, step, target, ran))
      return { machineId: target.machineId, name: target.name, ...outcomeOf(run, target, due) }
    })
    .toArray()
}

interface Verdict {
  readonly outcome: TargetOutcome
  readonly reason: string | null
}

/** @param due the steps that the target needs to have the release */
function outcomeOf(run: Run, target: RunTarget, due: readonly RunStep[]): Verdict {
  if (target.excluded !== null) return outcomeOfExcluded(target.excluded)
  const tasks = due.map(({ definition }) => latestTask(run, definition.id, target.machineId))
  const bad = tasks.find((task) => task?.state === 'failed' || task?.state === 'lost')
  if (bad !== undefined) {
    const outcome = bad.reason === 'cancelled' ? 'cancelled' : bad.state === 'lost' ? 'lost' : 'failed'
    return { outcome, reason: `step ${bad.stepId}: ${bad.reason}` }
  }
  const ignored = due.find(({ definition: { id } }) => questionAbout(run, id, target.machineId)?.answer === 'ignore')
  if (ignored !== undefined) return { outcome: 'failed', reason: `step ${ignored.definition.id}: ${unreached}` }
  // Where no step concerns the target, it has the release only if the run as a whole went well.
  const wellEnded = run.failure === null && run.cancel === null
  if (tasks.every((task) => task?.state === 'succeeded') && (tasks.length > 0 || wellEnded))
    return { outcome: 'succeeded', reason: null }
  if (tasks.every((task) => task === undefined))
    return { outcome: 'untouched', reason: run.failure ?? run.cancel?.reason ?? null }
  return { outcome: run.cancel === null ? 'failed' : 'cancelled', reason: 'the deployment ended before its last step' }
}

const isForTargets = ({ created }: Run, { definition }: RunStep): boolean =>
  isRolling(definition) && isPartOf(created?.kind ?? 'release', definition)

/**
 * Whether the target needs the step to have the release. A step that it has run does count, and one that it still owes;
 * one that lay behind when it came, that ran without it, or that nobody needed does not.
 */
function concerns(
  run: Run,
  { definition, state, reason, number }: RunStep & { readonly number: number },
  { machineId, roles, since, owes }: RunTarget,
  ran: (stepId: string, machineId: string) => boolean,
): boolean {
  if (!isRolling(definition) || !hasRole({ roles }, definition.roles)) return false
  if (latestTask(run, definition.id, machineId) !== undefined || owes.includes(definition.id)) return true
  if (definition.condition === 'failure' || number < since) return false
  if (state === 'skipped') return reason === skippedByFailure
  return state === 'pending' || ran(definition.id, machineId)
}

function outcomeOfExcluded({ cause, detail }: NonNullable<RunTarget['excluded']>): Verdict {
  switch (cause) {
    case 'replaced':
      return { outcome: 'replaced', reason: detail }
    case 'failed':
      return { outcome: 'failed', reason: detail }
    case 'lost':
      return { outcome: 'lost', reason: detail }
    case 'not-contactable':
    case 'removed':
    case 'disabled':
    case 'unhealthy':
    case 'person':
    case 'roles-changed':
      return { outcome: 'excluded', reason: `${cause}: ${detail}` }
  }
}
