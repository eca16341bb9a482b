import { describe, it } from 'vitest'
import { token } from '#services/registry/token/decider.ts'
import { specify } from '#test/support/spec.ts'

const given = specify(token)
const tokenId = 'ci'
const shape = { tokenId, name: 'CI', scope: 'write', secretHash: 'abc', expiresAt: null } as const
const create = { type: 'CreateToken', data: shape } as const
const created = { type: 'TokenCreated', data: shape } as const
const revoke = { type: 'RevokeToken', data: { tokenId } } as const
const revoked = { type: 'TokenRevoked', data: { tokenId } } as const

describe('an API token', () => {
  it('is created', () => given().when(create).thenRecorded(created))
  it('is created once', () => given(created).when(create).thenNothing())
  it('is not created again after it was revoked', () => given(created, revoked).when(create).thenNothing())
  it('is revoked', () => given(created).when(revoke).thenRecorded(revoked))
  it('is revoked once', () => given(created, revoked).when(revoke).thenNothing())
  it('cannot be revoked before there is one', () => given().when(revoke).thenRefused('TOKEN_UNKNOWN', tokenId))
})
