import type { HealthCommand, HealthEvent, HealthStatus } from '#contracts/health.ts'
import type { Decider } from '#libs/decider.ts'

export interface Health {
  readonly status: HealthStatus
  /** The silence that a late heartbeat was last recorded for, told by when the machine had been heard before it. */
  readonly lateFor: number | null
}

/** The commands that leave a trace; asking and confirming do not. */
export type HealthRecord = Extract<HealthCommand, { type: `Record${string}` | 'ForgetHealth' }>

/** The health of one machine. Only transitions are recorded: a heartbeat that changes nothing is no fact. */
export const health: Decider<Health, HealthRecord, HealthEvent> = {
  initial: { status: 'unknown', lateFor: null },

  decide({ type, data }, { status, lateFor }) {
    switch (type) {
      case 'RecordHeard':
        return status === 'healthy' ? [] : [{ type: 'MachineBecameHealthy', data: { ...data, previous: status } }]
      case 'RecordLate':
        if (status === 'unavailable' || lateFor === data.evidence.lastHeardAt) return []
        return [{ type: 'HealthCheckFailed', data: { ...data, check: 'heartbeat' } }]
      case 'RecordSilent':
        if (status === 'unavailable') return []
        return [{ type: 'MachineBecameUnavailable', data: { ...data, previous: status } }]
      case 'ForgetHealth':
        return status === 'unknown' ? [] : [{ type: 'HealthForgotten', data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'MachineBecameHealthy':
        return { status: 'healthy', lateFor: null }
      case 'HealthCheckFailed':
        return { ...state, lateFor: event.data.evidence.lastHeardAt }
      case 'MachineBecameUnavailable':
        return { ...state, status: 'unavailable' }
      case 'HealthForgotten':
        return { status: 'unknown', lateFor: null }
    }
  },
}
