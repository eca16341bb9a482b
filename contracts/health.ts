import { z } from 'zod'
import { durationMs, instantMs, machineId } from './ids.ts'
import { fact, request } from './message.ts'

export const HealthStatus = z.enum(['unknown', 'healthy', 'degraded', 'unhealthy', 'unavailable'])
export type HealthStatus = z.infer<typeof HealthStatus>

/** What a verdict rests on. Instants are of the observer's steady clock; a silence is one that was really observed. */
export const HealthEvidence = z.object({
  kind: z.enum(['heartbeat', 'heartbeat-late', 'heartbeat-missing']),
  lastHeardAt: instantMs.nullable(),
  silentMs: durationMs,
  thresholdMs: durationMs.nullable(),
  observerId: z.string(),
})
export type HealthEvidence = z.infer<typeof HealthEvidence>

const judged = { machineId, at: instantMs, evidence: HealthEvidence }

export const HealthCommand = z.discriminatedUnion('type', [
  request('RecordHeard', judged),
  request('RecordLate', judged),
  request('RecordSilent', judged),
  request('ForgetHealth', { machineId, at: instantMs }),
  /** Answers MACHINE_ANSWERS when the machine has been heard again; records nothing. */
  request('ConfirmUnavailable', { machineId }),
  /** Asks the machine for a sign of life now, through the gateway that holds its session. */
  request('CheckMachine', { machineId }),
])
export type HealthCommand = z.infer<typeof HealthCommand>

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const HealthEvent = z.discriminatedUnion('type', [
  fact('MachineBecameHealthy', { ...judged, previous: HealthStatus }),
  fact('HealthCheckFailed', { ...judged, check: z.string() }),
  fact('MachineBecameUnavailable', { ...judged, previous: HealthStatus }),
  fact('HealthForgotten', { machineId, at: instantMs }),
])
export type HealthEvent = z.infer<typeof HealthEvent>

/** Why nobody listened: it was stopped, it crashed, it was held up, or no gateway could be heard. */
export const GapReason = z.enum(['stopped', 'crashed', 'stalled', 'deaf'])
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
