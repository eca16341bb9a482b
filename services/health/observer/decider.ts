import type { ObserverCommand, ObserverEvent } from '#contracts/health.ts'
import type { Decider } from '#libs/decider.ts'

/** One who listens to machines. Its gaps are facts, since what happened in them was seen by nobody. */
export interface Observer {
  readonly gap: Extract<ObserverEvent, { type: 'ObservationGapStarted' }>['data'] | null
}

export const observer: Decider<Observer, ObserverCommand, ObserverEvent> = {
  initial: { gap: null },

  decide({ type, data }, { gap }) {
    switch (type) {
      case 'StartObservationGap':
        return gap === null ? [{ type: 'ObservationGapStarted', data }] : []
      case 'EndObservationGap':
        if (gap === null) return []
        // A clock that was set back must not make a gap end before it began.
        return [{ type: 'ObservationGapEnded', data: { ...gap, endedAt: Math.max(gap.startedAt, data.endedAt) } }]
    }
  },

  evolve(_, event) {
    switch (event.type) {
      case 'ObservationGapStarted':
        return { gap: event.data }
      case 'ObservationGapEnded':
        return { gap: null }
    }
  },
}
