import type { ObservationGapRow, Silence } from '#contracts/fleetRows.ts'
import type { MachineRow } from '#contracts/rows.ts'
import { Gaps } from '#libs/gaps.ts'
import { tableOf } from '#libs/view.ts'
import type { Fleet } from './fleet.ts'
import { iso } from './views/iso.ts'
import { observationGaps } from './views/observationGaps.ts'

/** More breaks than this in one silence are not taken out one by one: the silence is long enough to say so. */
const gapsReadMax = 10_000

/**
 * How long a machine has been silent, by the clock and as far as it was observed: the same arithmetic as that by which
 * the policy decides. null while it answers, or nobody watches it.
 */
export function silenceOf(fleet: Fleet, { silentSince, statusSince }: MachineRow): Silence | null {
  if (silentSince === null || statusSince === null) return null
  const nowMs = fleet.clock.steadyMs()
  const goneMs = Math.max(0, nowMs - silentSince)
  const observedMs = Math.min(goneMs, Math.round(gapsSince(fleet, silentSince).observedMs(silentSince, nowMs)))
  return { since: statusSince, goneMs, observedMs }
}

/** The breaks that reach into the time since then, in the order in which they were told. */
function gapsSince({ reader }: Fleet, sinceMs: number): Gaps {
  const gaps = new Gaps()
  const sql = `SELECT doc FROM ${tableOf(observationGaps)} WHERE endedAt IS NULL OR endedAt >= ? ORDER BY id LIMIT ?`
  for (const [doc] of reader.rows(sql, iso(sinceMs), gapsReadMax)) {
    const { observer: observerId, reason, startedAt, endedAt } = JSON.parse(String(doc)) as ObservationGapRow
    const gap = { observerId, reason, startedAt: Date.parse(startedAt) }
    gaps.apply(
      endedAt === null
        ? { type: 'ObservationGapStarted', data: gap }
        : { type: 'ObservationGapEnded', data: { ...gap, endedAt: Date.parse(endedAt) } },
    )
  }
  return gaps
}
