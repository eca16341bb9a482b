import type { CheckLevel, HealthStatus } from '#contracts/health.ts'
import type { Verdict } from './classify.ts'

/** How often in a row a machine was found in a way that differs from what is recorded of it. */
export interface Tally {
  readonly status: HealthStatus
  /** The level that is recorded; null where nothing is known of it. */
  readonly level: CheckLevel | null
  readonly silences: number
  readonly answers: number
  readonly worse: number
  readonly better: number
}

export interface Thresholds {
  readonly failuresToGoDown: number
  readonly passesToComeBack: number
}

/** What is to be recorded, and after how many looks that said the same. */
export type Change =
  | { readonly type: 'heard' | 'silent'; readonly times: number }
  | { readonly type: 'check'; readonly level: CheckLevel; readonly times: number }

type Counted = readonly [Tally, readonly Change[]]

const severity = { ok: 0, warning: 1, failure: 2 } as const
const levels: Partial<Record<HealthStatus, CheckLevel>> = { healthy: 'ok', degraded: 'warning', unhealthy: 'failure' }
const statuses = { ok: 'healthy', warning: 'degraded', failure: 'unhealthy' } as const
const none = { silences: 0, answers: 0, worse: 0, better: 0 }

export const tallyOf = (status: HealthStatus): Tally => ({ status, level: levels[status] ?? null, ...none })

/** What was recorded is what counts, where it differs from what was meant to be. */
export const corrected = (tally: Tally, status: HealthStatus): Tally =>
  tally.status === status ? tally : { ...tally, status, level: levels[status] ?? tally.level }

/** After a time in which nobody looked, what was counted against the machine counts no more. */
export const forgiven = (tally: Tally): Tally => ({ ...tally, silences: 0, worse: 0 })

/** Counts one look. A row of failures takes a machine down and a row of passes brings it back, so it does not flap. */
export function count(tally: Tally, verdict: Verdict, thresholds: Thresholds): Counted {
  switch (verdict.reach) {
    case 'silent':
      return countSilence(tally, thresholds)
    case 'answers': {
      const heard = { ...tally, silences: 0, answers: tally.answers + 1 }
      return isOut(tally) ? countReturn(heard, verdict.level, thresholds) : countLevel(heard, verdict.level, thresholds)
    }
    case 'unseen':
      // Trouble of our own says nothing; a mistake in the configuration says nothing of silence.
      return verdict.level === null
        ? [tally, []]
        : countLevel({ ...tally, silences: 0, answers: 0 }, verdict.level, thresholds)
  }
}

const isOut = ({ status }: Tally) => status === 'unavailable' || status === 'unknown'

function countSilence(tally: Tally, { failuresToGoDown }: Thresholds): Counted {
  const silences = tally.silences + 1
  const counted = { ...tally, silences, answers: 0 }
  if (tally.status === 'unavailable' || silences < failuresToGoDown) return [counted, []]
  return [{ ...counted, status: 'unavailable' }, [{ type: 'silent', times: silences }]]
}

/** A machine that nothing is known of is well with its first pass; what is not a pass has to be seen as often as ever. */
function countReturn(tally: Tally, level: CheckLevel, { failuresToGoDown, passesToComeBack }: Thresholds): Counted {
  const { status, answers } = tally
  const first = level === 'ok' ? 1 : failuresToGoDown
  if (answers < (status === 'unknown' ? first : passesToComeBack)) return [tally, []]
  const back = { ...tally, ...none, status: statuses[level], level }
  // The check goes first, so that a machine comes back as it is and not as healthy.
  const changes: readonly Change[] = [
    { type: 'check', level, times: answers },
    { type: 'heard', times: answers },
  ]
  return [back, changes]
}

function countLevel(tally: Tally, level: CheckLevel, { failuresToGoDown, passesToComeBack }: Thresholds): Counted {
  const by = severity[level] - severity[tally.level ?? 'ok']
  const worse = by > 0 ? tally.worse + 1 : 0
  const better = by < 0 ? tally.better + 1 : 0
  const counted = { ...tally, worse, better }
  if (by === 0 || (worse < failuresToGoDown && better < passesToComeBack)) return [counted, []]
  const status = isOut(tally) ? tally.status : statuses[level]
  return [
    { ...counted, status, level, worse: 0, better: 0 },
    [{ type: 'check', level, times: Math.max(worse, better) }],
  ]
}
