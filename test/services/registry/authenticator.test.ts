import { describe, expect, it, onTestFinished } from 'vitest'
import type { TokenEvent } from '#contracts/token.ts'
import { tokenStream } from '#contracts/subjects.ts'
import { makeToken } from '#libs/auth.ts'
import { systemClock } from '#libs/systemClock.ts'
import { startAuthenticator } from '#services/registry/authenticator.ts'
import { cause, testPlatform } from './platform.ts'

const adminToken = makeToken(systemClock, 'admin').token

async function start() {
  let wallMs = 1_000
  const platform = testPlatform({ clock: { ...systemClock, wallMs: () => wallMs } })
  const { token, publicId: tokenId, secretHash } = makeToken(systemClock, 'user')
  const append = (version: number, event: TokenEvent) =>
    platform.store.append(tokenStream(tokenId), version, [event], cause())
  await append(0, { type: 'TokenCreated', data: { tokenId, name: 'CI', scope: 'write', secretHash, expiresAt: 2_000 } })
  const authenticator = await startAuthenticator(platform, { adminToken })
  onTestFinished(() => authenticator[Symbol.asyncDispose]())
  const revoke = () => append(1, { type: 'TokenRevoked', data: { tokenId } })
  return { ...authenticator, token, tokenId, revoke, passTo: (ms: number) => (wallMs = ms) }
}

describe('a bearer token', () => {
  it('is the one that was made at the start', async () => {
    const { authenticate } = await start()
    expect(authenticate(adminToken)).toEqual({ id: 'admin', name: 'Administrator', scopes: ['admin'] })
  })
  it('is one that was stored before', async () => {
    const { authenticate, token, tokenId } = await start()
    expect(authenticate(token)).toEqual({ id: `token:${tokenId}`, name: 'CI', scopes: ['write'] })
  })
  it('is nothing that only looks like one', async () => {
    const { authenticate, token, tokenId } = await start()
    const other = makeToken(systemClock, 'user', tokenId).token
    const asJoin = token.replace('rmd_user_', 'rmd_join_')
    for (const wrong of [
      '',
      'x',
      other,
      asJoin,
      `${token}x`,
      token.slice(0, -1),
      adminToken.slice(0, -1),
      makeToken(systemClock, 'user').token,
    ])
      expect(authenticate(wrong)).toBeNull()
  })
  it('can be vouched for, for as long as it is good', async () => {
    const { authenticate, vouchFor, tokenId, token, passTo } = await start()
    const voucher = vouchFor(tokenId)
    expect(authenticate(voucher)).toEqual(authenticate(token))
    expect(authenticate(`${voucher.slice(0, -4)}AAAA`)).toBeNull()
    expect(authenticate(vouchFor('nobody'))).toBeNull()
    // The secret of one is not that of the other.
    expect(authenticate(voucher.slice(0, -43) + token.slice(-43))).toBeNull()
    passTo(2_000)
    expect(authenticate(voucher)).toBeNull()
  })
  it('ends when it expires', async () => {
    const { authenticate, token, passTo } = await start()
    passTo(1_999)
    expect(authenticate(token)).not.toBeNull()
    passTo(2_000)
    expect(authenticate(token)).toBeNull()
  })
  it('ends when it is revoked', async () => {
    const { authenticate, token, revoke } = await start()
    await revoke()
    await expect.poll(() => authenticate(token), { timeout: 5_000 }).toBeNull()
  })
})
