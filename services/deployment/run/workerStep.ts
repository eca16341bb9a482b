import type { DeploymentEvent } from '#contracts/deployment.ts'
import { retryAt, verdictOn, type Verdict } from './attempts.ts'
import { machinesAtWork } from './group.ts'
import { questionAbout } from './questions.ts'
import { askAbout, dispatch, whyOf } from './scriptFacts.ts'
import { anyWorker, latestTask, type Run, type RunStep, type RunTask, type TriedStep } from './state.ts'
import { beforeAttempt, effectDone } from './swap/effectStep.ts'
import { waitingSince, type Scene } from './world.ts'

/** Once, on one worker: for what belongs to no target, such as making machines or telling a load balancer. */
export function planOnWorker(scene: Scene, step: RunStep, definition: TriedStep): readonly DeploymentEvent[] {
  const { run, created, world, nowMs } = scene
  const about = { deploymentId: created.deploymentId, stepId: definition.id }
  const task = latestTask(run, definition.id, anyWorker)
  switch (verdictWith(scene, definition, task)) {
    case 'active':
    case 'later':
    case 'asked':
      return []
    case 'unasked':
      return [askAbout(scene, definition, task!.machineId, task)]
    case 'ignored':
      return [{ type: 'StepSucceeded', data: about }]
    case 'succeeded': {
      const done = effectDone(scene, definition)
      if ('problem' in done) return [{ type: 'StepFailed', data: { ...about, reason: done.problem } }]
      return [...done, { type: 'StepSucceeded', data: about }]
    }
    case 'failed':
      return [{ type: 'StepFailed', data: { ...about, reason: failureOf(run, task!) } }]
    case 'due': {
      const before = beforeAttempt(scene, step, definition, task)
      if ('instead' in before) return before.instead
      const workers = world.workersFor(created.environmentId)
      const atWork = machinesAtWork(run)
      const free = workers.find(({ machineId: id }) => !atWork.has(id) && world.isFree(id, created.deploymentId))
      if (free !== undefined) return [...before.begins, dispatch(created, definition, free.machineId, task, nowMs)]
      const wantedSince = task === undefined ? step.startedAt : retryAt(task, definition)
      if (workers.length > 0 || nowMs < waitingSince(scene, wantedSince) + created.contactBudgetMs) return []
      const reason = 'no worker answers: start an agent with --role worker, or the server with REMUDA_WORKER=on'
      return [{ type: 'StepFailed', data: { ...about, reason } }]
    }
  }
}

/** As the verdict on its latest attempt, and for one that failed: what a person says to it, where one is to be asked. */
function verdictWith(
  { run, nowMs }: Scene,
  definition: TriedStep,
  task: RunTask | undefined,
): Verdict | 'unasked' | 'asked' | 'ignored' {
  const verdict = verdictOn(task, definition, nowMs)
  if (verdict !== 'failed' || task === undefined || definition.onFailure !== 'ask') return verdict
  const question = questionAbout(run, task.stepId, task.machineId)
  if (question === undefined) return 'unasked'
  if (question.answer === 'open') return nowMs < question.deadlineAt ? 'asked' : 'failed'
  return question.answer === 'ignore' ? 'ignored' : 'failed'
}

const failureOf = (run: Run, task: RunTask): string =>
  questionAbout(run, task.stepId, task.machineId)?.answer === 'open'
    ? `${whyOf(task)}; nobody decided in time`
    : whyOf(task)
