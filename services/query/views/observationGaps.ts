import type { ObservationGapRow } from '#contracts/fleetRows.ts'
import type { ObserverEvent } from '#contracts/health.ts'
import type { View } from '#libs/view.ts'
import { iso } from './iso.ts'

/** The times in which somebody who listens to machines did not. An observer has one gap at a time. */
export const observationGaps: View<ObservationGapRow, ObserverEvent> = {
  name: 'observation-gaps.v1',
  observes: ['ObservationGapStarted', 'ObservationGapEnded'],
  columns: { startedAt: (row) => row.startedAt, endedAt: (row) => row.endedAt },
  indexes: [['startedAt', 'key'], ['endedAt']],
  tally: (row) => (row.endedAt === null ? 'open' : null),
  keysOf: ({ data }) => [`${data.observerId}@${data.startedAt}`],

  project(_, { type, data }, key) {
    const { observerId: observer, reason, startedAt } = data
    const endedAt = type === 'ObservationGapEnded' ? iso(data.endedAt) : null
    return { id: key, observer, reason, startedAt: iso(startedAt), endedAt }
  },
}
