import { Map } from 'immutable'
import type { CheckLevel, HealthCommand, HealthEvent, HealthStatus } from '#contracts/health.ts'
import type { Decider } from '#libs/decider.ts'

export interface Health {
  readonly status: HealthStatus
  /** The silence that a late heartbeat was last recorded for, told by when the machine had been heard before it. */
  readonly lateFor: number | null
  /** The checks that do not pass. They are kept while the machine is silent, since nobody knows better. */
  readonly failing: Map<string, Exclude<CheckLevel, 'ok'>>
}

/** The commands that leave a trace; asking and confirming do not. */
export type HealthRecord = Extract<HealthCommand, { type: `Record${string}` | 'ForgetHealth' }>
type Judged = Extract<HealthRecord, { type: 'RecordHeard' }>['data']

/** The health of one machine. Only transitions are recorded: a heartbeat that changes nothing is no fact. */
export const health: Decider<Health, HealthRecord, HealthEvent> = {
  initial: { status: 'unknown', lateFor: null, failing: Map() },

  decide({ type, data }, state) {
    const { status, lateFor, failing } = state
    switch (type) {
      case 'RecordHeard':
        return answers(status) ? [] : became(data, status, answering(failing))
      case 'RecordLate':
        if (status === 'unavailable' || lateFor === data.evidence.lastHeardAt) return []
        return [{ type: 'HealthCheckFailed', data: { ...data, check: 'heartbeat' } }]
      case 'RecordSilent':
        return status === 'unavailable' ? [] : became(data, status, 'unavailable')
      case 'RecordCheck':
        return checked(data, state)
      case 'ForgetHealth':
        return status === 'unknown' && failing.isEmpty() ? [] : [{ type: 'HealthForgotten', data }]
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'MachineBecameHealthy':
        return { ...state, status: 'healthy', lateFor: null }
      case 'MachineBecameDegraded':
        return { ...state, status: 'degraded', lateFor: null }
      case 'MachineBecameUnhealthy':
        return { ...state, status: 'unhealthy', lateFor: null }
      case 'HealthCheckFailed': {
        const { check, level = 'failure', evidence } = event.data
        if (check === 'heartbeat') return { ...state, lateFor: evidence.lastHeardAt }
        return { ...state, failing: state.failing.set(check, level) }
      }
      case 'HealthCheckPassed':
        return { ...state, failing: state.failing.delete(event.data.check) }
      case 'MachineBecameUnavailable':
        return { ...state, status: 'unavailable' }
      case 'HealthForgotten':
        return health.initial
    }
  },
}

const answers = (status: HealthStatus) => status !== 'unavailable' && status !== 'unknown'

/** How a machine is that answers: as its worst check. */
function answering(failing: Health['failing']): 'healthy' | 'degraded' | 'unhealthy' {
  if (failing.includes('failure')) return 'unhealthy'
  return failing.isEmpty() ? 'healthy' : 'degraded'
}

/** A check says how well a machine is, never that it does not answer: the two do not mix. */
function checked({ check, level, ...judged }: Judged & { check: string; level: CheckLevel }, state: Health) {
  const { status, failing } = state
  if ((failing.get(check) ?? 'ok') === level) return []
  const told: HealthEvent =
    level === 'ok'
      ? { type: 'HealthCheckPassed', data: { ...judged, check } }
      : { type: 'HealthCheckFailed', data: { ...judged, check, level } }
  const now = answering(health.evolve(state, told).failing)
  return answers(status) && now !== status ? [told, ...became(judged, status, now)] : [told]
}

const names = {
  healthy: 'MachineBecameHealthy',
  degraded: 'MachineBecameDegraded',
  unhealthy: 'MachineBecameUnhealthy',
  unavailable: 'MachineBecameUnavailable',
} as const

const became = (judged: Judged, previous: HealthStatus, now: keyof typeof names): readonly HealthEvent[] => [
  { type: names[now], data: { ...judged, previous } },
]
