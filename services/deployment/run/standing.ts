import { verdictOn, type Verdict } from './attempts.ts'
import { questionAbout } from './questions.ts'
import { latestTask, type Question, type RollingStep, type RunTarget } from './state.ts'
import { isContactable, waitingSince, type Scene } from './world.ts'

/** Where a target stands in a step; `ignored` counts as succeeded for the step, since a person wants to go on. */
export type Standing = Verdict | 'elsewhere' | 'away' | 'unreachable' | 'unasked' | 'asked' | 'ignored' | 'left out'

/**
 * As the verdict on its task, and for one that is due: whether its machine can be contacted, or has been away too long.
 * One that is at work for a step beside this one is left alone until that has ended. Where a person is to be asked about
 * failures, what was said to the latest of them decides.
 */
export function standingOf(
  scene: Scene,
  definition: RollingStep,
  { machineId, takenInAt }: RunTarget,
  sinceMs: number,
  atWork: ReadonlySet<string>,
): Standing {
  const { run, created, world, nowMs } = scene
  const verdict = verdictOn(latestTask(run, definition.id, machineId), definition, nowMs)
  if (verdict === 'active' || verdict === 'succeeded') return verdict
  const question = questionAbout(run, definition.id, machineId)
  const decided = question && answered(question, nowMs)
  if (decided === 'ignored' || decided === 'asked') return decided
  if (atWork.has(machineId)) return 'elsewhere'
  if (decided !== undefined) return decided
  if (verdict === 'failed') return definition.onFailure === 'ask' ? 'unasked' : 'failed'
  if (verdict === 'later') return 'later'
  const machine = world.machine(machineId)
  if (machine !== undefined && isContactable(machine)) return 'due'
  const wantedSince = Math.max(sinceMs, takenInAt, machine?.statusSince ?? 0, question?.answeredAt ?? 0)
  if (nowMs < waitingSince(scene, wantedSince) + created.contactBudgetMs) return 'away'
  return definition.onFailure === 'ask' && !created.elastic ? 'unasked' : 'unreachable'
}

/** What follows from a question; nothing when a person wants another try. */
function answered({ answer, deadlineAt }: Question, nowMs: number): Standing | undefined {
  switch (answer) {
    case 'open':
      return nowMs < deadlineAt ? 'asked' : 'failed'
    case 'ignore':
      return 'ignored'
    case 'exclude':
      return 'left out'
    case 'fail':
      return 'failed'
    case 'retry':
      return undefined
  }
}
