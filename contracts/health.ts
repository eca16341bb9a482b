import { z } from 'zod'
import { durationMs, instantMs, machineId } from './ids.ts'
import { fact, request } from './message.ts'

export const HealthStatus = z.enum(['unknown', 'healthy', 'degraded', 'unhealthy', 'unavailable'])
export type HealthStatus = z.infer<typeof HealthStatus>

/** What was found when a machine was looked at: what was seen, not what follows from it. */
export const Finding = z.enum([
  'answered',
  'refused',
  'timed-out',
  'unreachable',
  'name-unknown',
  'connection-lost',
  'tls-mismatch',
  'identity-mismatch',
  'authentication-refused',
  'unexpected-answer',
  'check-warned',
  'check-failed',
])
export type Finding = z.infer<typeof Finding>

/** What a check says of a machine that answers. */
export const CheckLevel = z.enum(['ok', 'warning', 'failure'])
export type CheckLevel = z.infer<typeof CheckLevel>

export const findingCharsMax = 4_096

/** What a verdict rests on. Instants are of the observer's steady clock; a silence is one that was really observed. */
export const HealthEvidence = z.object({
  kind: z.enum(['heartbeat', 'heartbeat-late', 'heartbeat-missing', 'probe', 'script-check']),
  finding: Finding.optional(),
  /** What a check printed, or what went wrong in words; never the body of an answer. */
  detail: z.string().max(findingCharsMax).optional(),
  /** How often in a row it was found so. */
  times: z.number().int().positive().optional(),
  lastHeardAt: instantMs.nullable(),
  silentMs: durationMs,
  thresholdMs: durationMs.nullable(),
  observerId: z.string(),
})
export type HealthEvidence = z.infer<typeof HealthEvidence>

const judged = { machineId, at: instantMs, evidence: HealthEvidence }
export const checkName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a check is named with 1 to 63 lower-case letters, digits and dashes')

export const HealthCommand = z.discriminatedUnion('type', [
  request('RecordHeard', judged),
  request('RecordLate', judged),
  request('RecordSilent', judged),
  /** What a check of a machine found, of which only a change leaves a trace. */
  request('RecordCheck', { ...judged, check: checkName, level: CheckLevel }),
  request('ForgetHealth', { machineId, at: instantMs }),
  /** Answers MACHINE_ANSWERS when the machine has been heard again; records nothing. */
  request('ConfirmUnavailable', {
    machineId,
    /** What made the removal due; where the cloud says that the machine is gone, a shorter silence will do. */
    rule: z.enum(['unavailable', 'not-contactable', 'terminated']).optional(),
  }),
  /** Asks the machine for a sign of life now, through the gateway that holds its session. */
  request('CheckMachine', { machineId }),
])
export type HealthCommand = z.infer<typeof HealthCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const HealthEvent = z.discriminatedUnion('type', [
  fact('MachineBecameHealthy', { ...judged, previous: HealthStatus }),
  /** A check begins to fail or to warn. The check named `heartbeat` says that the machine is late. */
  fact('HealthCheckFailed', { ...judged, check: z.string(), level: z.enum(['warning', 'failure']).optional() }),
  fact('HealthCheckPassed', { ...judged, check: z.string() }),
  fact('MachineBecameDegraded', { ...judged, previous: HealthStatus }),
  fact('MachineBecameUnhealthy', { ...judged, previous: HealthStatus }),
  fact('MachineBecameUnavailable', { ...judged, previous: HealthStatus }),
  fact('HealthForgotten', { machineId, at: instantMs }),
])
export type HealthEvent = z.infer<typeof HealthEvent>

/** The status that a machine has after an event which is about its status. */
export const statusAfter = {
  MachineBecameHealthy: 'healthy',
  MachineBecameDegraded: 'degraded',
  MachineBecameUnhealthy: 'unhealthy',
  MachineBecameUnavailable: 'unavailable',
  HealthForgotten: 'unknown',
} as const satisfies Partial<Record<HealthEvent['type'], HealthStatus>>

/** Why nobody listened: it was stopped, it crashed, it was held up, no gateway could be heard, or the clock was set. */
export const GapReason = z.enum(['stopped', 'crashed', 'stalled', 'deaf', 'clock-stepped'])
export type GapReason = z.infer<typeof GapReason>

const gap = {
  observerId: z.string(),
  reason: GapReason,
  startedAt: instantMs,
}

export const ObserverCommand = z.discriminatedUnion('type', [
  request('StartObservationGap', gap),
  request('EndObservationGap', {
    observerId: z.string(),
    startedAt: instantMs,
    endedAt: instantMs,
  }),
])
export type ObserverCommand = z.infer<typeof ObserverCommand>

// Time in which Remuda itself was not observing: no timer counts it.
export const ObserverEvent = z.discriminatedUnion('type', [
  fact('ObservationGapStarted', gap),
  fact('ObservationGapEnded', { ...gap, endedAt: instantMs }),
])
export type ObserverEvent = z.infer<typeof ObserverEvent>
