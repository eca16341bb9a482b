import { describe, it } from 'vitest'
import { enrollmentDecider } from '#services/registry/enrollment/decider.ts'
import { specify } from '#test/support/spec.ts'

const given = specify(enrollmentDecider((id) => id === 'staging'))
const enrollmentId = 'e1'
const secretHash = 'a'.repeat(64)
const expiresAt = 1_000
const shape = { enrollmentId, environmentId: 'staging', roles: ['web', 'db'], secretHash, expiresAt, usesMax: 2 }
const create = { type: 'CreateEnrollment', data: shape } as const
const created = { type: 'EnrollmentCreated', data: shape } as const
const use = (machineId: string, changes: object = {}) =>
  ({
    type: 'UseEnrollment',
    data: { enrollmentId, secretHash, machineId, roles: [], usedAt: 999, ...changes },
  }) as const
const used = (machineId: string) => ({ type: 'EnrollmentUsed', data: { enrollmentId, machineId } }) as const
const revoke = { type: 'RevokeEnrollment', data: { enrollmentId, reason: 'leaked' } } as const
const revoked = { type: 'EnrollmentRevoked', data: { enrollmentId, reason: 'leaked' } } as const

describe('a join token nobody has made', () => {
  it('is made', () => given().when(create).thenRecorded(created))
  it('is made only where there is an environment', () =>
    given()
      .when({ ...create, data: { ...shape, environmentId: 'moon' } })
      .thenRefused('ENVIRONMENT_UNKNOWN', 'moon'))
  it('lets nobody in', () => given().when(use('m1')).thenRefused('ENROLLMENT_UNKNOWN'))
  it('lets nobody in with an empty secret', () =>
    given()
      .when(use('m1', { secretHash: '' }))
      .thenRefused('ENROLLMENT_UNKNOWN'))
  it('cannot be revoked', () => given().when(revoke).thenRefused('ENROLLMENT_UNKNOWN'))
})

describe('a join token', () => {
  it('is made once', () => given(created).when(create).thenNothing())
  it('lets a machine in', () => given(created).when(use('m1')).thenRecorded(used('m1')))
  it('lets a machine in with a part of its roles', () =>
    given(created)
      .when(use('m1', { roles: ['db'] }))
      .thenRecorded(used('m1')))
  it('lets in as many machines as it is good for', () =>
    given(created, used('m1')).when(use('m2')).thenRecorded(used('m2')))
  it('is used up', () =>
    given(created, used('m1'), used('m2')).when(use('m3')).thenRefused('ENROLLMENT_USED_UP', 'good for 2'))
  it('is not used up by a machine that asks again', () =>
    given(created, used('m1'), used('m2')).when(use('m1')).thenNothing())
  it('knows its secret in every digit', () => {
    for (const wrong of ['', 'b', 'a'.repeat(63), 'a'.repeat(65), 'a'.repeat(63) + 'b', 'b' + 'a'.repeat(63)])
      given(created)
        .when(use('m1', { secretHash: wrong }))
        .thenRefused('ENROLLMENT_UNKNOWN')
  })
  it('does not tell a wrong secret that it is revoked or expired', () =>
    given(created, revoked)
      .when(use('m1', { secretHash: 'b', usedAt: 5_000 }))
      .thenRefused('ENROLLMENT_UNKNOWN'))
  it('expires at its moment', () =>
    given(created)
      .when(use('m1', { usedAt: 1_000 }))
      .thenRefused('ENROLLMENT_EXPIRED'))
  it('expires for a machine that has used it as well', () =>
    given(created, used('m1'))
      .when(use('m1', { usedAt: 1_000 }))
      .thenRefused('ENROLLMENT_EXPIRED'))
  it('allows no role beyond its own', () =>
    given(created)
      .when(use('m1', { roles: ['web', 'worker'] }))
      .thenRefused('ENROLLMENT_SCOPE', 'does not allow worker, only web, db'))
  it('with no roles allows none', () =>
    given({ ...created, data: { ...shape, roles: [] } })
      .when(use('m1', { roles: ['web'] }))
      .thenRefused('ENROLLMENT_SCOPE', 'no role at all'))
  it('is revoked', () => given(created).when(revoke).thenRecorded(revoked))
})

describe('a revoked join token', () => {
  it('lets nobody in', () => given(created, revoked).when(use('m1')).thenRefused('ENROLLMENT_REVOKED'))
  it('lets a machine that has used it in no more either', () =>
    given(created, used('m1'), revoked).when(use('m1')).thenRefused('ENROLLMENT_REVOKED'))
  it('stays revoked', () => given(created, revoked).when(revoke).thenNothing())
})
