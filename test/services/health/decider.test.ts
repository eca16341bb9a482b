import { describe, it } from 'vitest'
import type { HealthEvent } from '#contracts/health.ts'
import { health, type HealthRecord } from '#services/health/decider.ts'
import { specify } from '#test/support/spec.ts'

const given = specify(health)
const machineId = 'm-1'
const evidence = (lastHeardAt: number | null = 5) =>
  ({ kind: 'heartbeat', lastHeardAt, silentMs: 1, thresholdMs: null, observerId: 'health' }) as const
const record = (type: 'RecordHeard' | 'RecordLate' | 'RecordSilent', lastHeardAt?: number | null): HealthRecord => ({
  type,
  data: { machineId, at: 9, evidence: evidence(lastHeardAt) },
})
const forget: HealthRecord = { type: 'ForgetHealth', data: { machineId, at: 9 } }
const judged = (lastHeardAt?: number | null) => ({ machineId, at: 9, evidence: evidence(lastHeardAt) })
const healthy = (previous: 'unknown' | 'unavailable' = 'unknown'): HealthEvent => ({
  type: 'MachineBecameHealthy',
  data: { ...judged(), previous },
})
const unavailable = (previous: 'unknown' | 'healthy' = 'healthy'): HealthEvent => ({
  type: 'MachineBecameUnavailable',
  data: { ...judged(), previous },
})
const late = (lastHeardAt: number | null = 5): HealthEvent => ({
  type: 'HealthCheckFailed',
  data: { ...judged(lastHeardAt), check: 'heartbeat' },
})
const forgotten: HealthEvent = { type: 'HealthForgotten', data: { machineId, at: 9 } }

describe('a machine that was heard', () => {
  it('is healthy', () => given().when(record('RecordHeard')).thenRecorded(healthy()))
  it('is healthy again', () =>
    given(healthy(), unavailable()).when(record('RecordHeard')).thenRecorded(healthy('unavailable')))
  it('that is healthy is no news', () => given(healthy()).when(record('RecordHeard')).thenNothing())
})

describe('a machine that is late', () => {
  it('is said to be, once for each silence', () => {
    given(healthy()).when(record('RecordLate')).thenRecorded(late())
    given(healthy(), late()).when(record('RecordLate')).thenNothing()
    given(healthy(), late()).when(record('RecordLate', 7)).thenRecorded(late(7))
  })
  it('is late anew after it was heard', () =>
    given(healthy(), late(), unavailable(), healthy('unavailable')).when(record('RecordLate')).thenRecorded(late()))
  it('is no news when it does not answer anyway', () =>
    given(healthy(), unavailable()).when(record('RecordLate', 7)).thenNothing())
})

describe('a machine that is silent', () => {
  it('does not answer, whether it was heard before or not', () => {
    given(healthy()).when(record('RecordSilent')).thenRecorded(unavailable())
    given().when(record('RecordSilent')).thenRecorded(unavailable('unknown'))
  })
  it('is no news twice', () => given(unavailable()).when(record('RecordSilent')).thenNothing())
})

describe('a machine that nobody watches', () => {
  it('is unknown', () => given(healthy()).when(forget).thenRecorded(forgotten))
  it('that is unknown is no news', () => {
    given().when(forget).thenNothing()
    given(healthy(), forgotten).when(forget).thenNothing()
  })
  it('begins anew', () => given(unavailable(), forgotten).when(record('RecordHeard')).thenRecorded(healthy()))
})

describe('a check', () => {
  const found = { ...judged(), evidence: { ...evidence(), kind: 'script-check' } } as const
  const says = (level: 'ok' | 'warning' | 'failure', check = 'disk'): HealthRecord => ({
    type: 'RecordCheck',
    data: { ...found, check, level },
  })
  const failed = (level: 'warning' | 'failure', check = 'disk'): HealthEvent => ({
    type: 'HealthCheckFailed',
    data: { ...found, check, level },
  })
  const passed: HealthEvent = { type: 'HealthCheckPassed', data: { ...found, check: 'disk' } }
  const became = (now: 'Healthy' | 'Degraded' | 'Unhealthy', previous: 'healthy' | 'degraded' | 'unhealthy') =>
    ({ type: `MachineBecame${now}`, data: { ...found, previous } }) as HealthEvent
  const degraded = [healthy(), failed('warning'), became('Degraded', 'healthy')]

  it('that passes as before is no news', () => given(healthy()).when(says('ok')).thenNothing())
  it('that fails as before is no news', () =>
    given(...degraded)
      .when(says('warning'))
      .thenNothing())
  it('makes the machine as it is', () => {
    given(healthy()).when(says('warning')).thenRecorded(failed('warning'), became('Degraded', 'healthy'))
    given(healthy()).when(says('failure')).thenRecorded(failed('failure'), became('Unhealthy', 'healthy'))
    given(...degraded)
      .when(says('failure'))
      .thenRecorded(failed('failure'), became('Unhealthy', 'degraded'))
    given(...degraded)
      .when(says('ok'))
      .thenRecorded(passed, became('Healthy', 'degraded'))
  })
  it('changes nothing while another is worse', () =>
    given(...degraded, failed('failure', 'load'), became('Unhealthy', 'degraded'))
      .when(says('ok'))
      .thenRecorded(passed))
  it('does not make a silent machine answer', () =>
    given(healthy(), unavailable()).when(says('failure')).thenRecorded(failed('failure')))
  it('counts again when the machine answers again', () =>
    given(...degraded, unavailable())
      .when(record('RecordHeard'))
      .thenRecorded({ type: 'MachineBecameDegraded', data: { ...judged(), previous: 'unavailable' } }))
  it('is forgotten with the machine', () =>
    given(...degraded, forgotten)
      .when(record('RecordHeard'))
      .thenRecorded(healthy()))
})
