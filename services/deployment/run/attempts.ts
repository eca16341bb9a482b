import { isActive, type RunTask, type TriedStep } from './state.ts'

export type Verdict = 'due' | 'active' | 'later' | 'succeeded' | 'failed'

/**
 * What the latest attempt means for a target. All attempts and the waits between them share one time limit, so that
 * tries never multiply it; and however many there were, the outcome is that of the last one.
 */
export function verdictOn(task: RunTask | undefined, definition: TriedStep, nowMs: number): Verdict {
  if (task === undefined) return 'due'
  if (isActive(task)) return 'active'
  if (task.state === 'succeeded') return 'succeeded'
  if (task.isWantedAgain) return 'due'
  // Nobody knows how far an interrupted or lost attempt got, so only a step that says it may is tried again.
  const uncertain = task.state === 'lost' || task.reason === 'interrupted'
  if (triesOf(task) >= definition.attemptsMax || (uncertain && !definition.repeatable)) return 'failed'
  const dueAt = retryAt(task, definition)
  const endsAt = task.begunAt + definition.timeLimitMs
  if (Math.max(nowMs, dueAt) >= endsAt) return 'failed'
  return nowMs < dueAt ? 'later' : 'due'
}

const triesOf = ({ attempt, triesBefore }: RunTask): number => attempt - triesBefore

export const retryAt = (task: RunTask, definition: TriedStep): number =>
  task.isWantedAgain ? task.endedAt : task.endedAt + retryWaitMs(definition, triesOf(task))

/** @param attempt the number of the attempt that failed, from 1 */
export function retryWaitMs({ retryAfterMs, retryFactor, retryAfterMaxMs }: TriedStep, attempt: number): number {
  const waitMs = Math.round(retryAfterMs * retryFactor ** (attempt - 1))
  return Math.min(waitMs, Math.max(retryAfterMs, retryAfterMaxMs))
}

/** What the next attempt may take: its own limit, and no more than is left of the time for all of them. */
export function attemptLimitMs(
  { timeLimitMs, attemptTimeLimitMs = timeLimitMs }: TriedStep,
  before: RunTask | undefined,
  nowMs: number,
): number {
  const restMs = before === undefined || before.isWantedAgain ? timeLimitMs : before.begunAt + timeLimitMs - nowMs
  return Math.max(1, Math.min(restMs, attemptTimeLimitMs))
}
