import { targetsMax } from '../run/bounds.ts'
import { runsOnWorker, type RollingStep, type TriedStep } from '../run/state.ts'

/** What could never pass in how a step goes over its targets, in words. What depends on their number is not known yet. */
export function rollingMistakes(step: RollingStep): readonly string[] {
  const { id, minimumHealthy } = step
  const isOnWorker = runsOnWorker(step)
  const mistakes: string[] = []
  const say = (what: string) => mistakes.push(`step ${id}: ${what}`)
  if (minimumHealthy !== null && isOnWorker) say('minimumHealthy is for steps on targets')
  if (minimumHealthy === '100%') say('minimumHealthy 100% lets no target work')
  if (typeof minimumHealthy === 'number' && minimumHealthy >= targetsMax)
    say(`minimumHealthy ${minimumHealthy} can never be kept: a deployment takes ${targetsMax} machines at most`)
  return [...mistakes, ...canaryMistakes(step)]
}

function canaryMistakes(step: RollingStep): readonly string[] {
  const { id, canary } = step
  if (canary === null) return []
  const { size, hold } = canary
  const mistakes: string[] = []
  if (runsOnWorker(step)) mistakes.push('a canary is for steps on targets')
  if (size === '100%') mistakes.push('a canary of 100% leaves nobody to hold back')
  if (typeof size === 'number' && size >= targetsMax)
    mistakes.push(`a canary of ${size} leaves nobody to hold back: a deployment takes ${targetsMax} machines at most`)
  if ('withinMs' in hold && hold.withinMs === 0) mistakes.push('withinMs 0 leaves nobody time to approve')
  return mistakes.map((what) => `step ${id}: ${what}`)
}

/** What could never pass in how often something is tried, and what follows. */
export function triesMistakes(step: TriedStep): readonly string[] {
  const { id, attemptsMax, attemptTimeLimitMs, retryAfterMs, timeLimitMs } = step
  const mistakes: string[] = []
  const say = (what: string) => mistakes.push(`step ${id}: ${what}`)
  if (attemptTimeLimitMs === 0) say('an attempt time limit of 0 leaves it no time')
  if (attemptsMax > 1 && retryAfterMs >= timeLimitMs)
    say(`it never tries again: it waits ${retryAfterMs} ms for that, and all tries have ${timeLimitMs} ms together`)
  if (step.onFailure === 'ask' && step.askWithinMs === 0) say('askWithinMs 0 leaves nobody time to decide')
  return mistakes
}
