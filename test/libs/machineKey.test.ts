import { describe, expect, it } from 'vitest'
import { publicKey as publicKeySchema } from '#contracts/machine.ts'
import { machineId as machineIdSchema } from '#contracts/ids.ts'
import { loadKey, machineIdOf, makeKey, seedBytes, verifySignature } from '#libs/machineKey.ts'

const seedOf = (value: number) => new Uint8Array(seedBytes).fill(value)

describe('machine key', () => {
  it('follows from its seed, and another seed gives another key', () => {
    expect(makeKey(seedOf(1)).publicKey).toBe(makeKey(seedOf(1)).publicKey)
    expect(makeKey(seedOf(1)).publicKey).not.toBe(makeKey(seedOf(2)).publicKey)
    expect(() => makeKey(new Uint8Array(16))).toThrow('32 bytes')
  })

  it('agrees with the test vector of RFC 8032', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
    const key = makeKey(seed)
    expect(Buffer.from(key.publicKey, 'base64url').toString('hex')).toBe(expected)
    expect(Buffer.from(key.sign(''), 'base64url').toString('hex')).toMatch(/^e5564300c360ac729086e2cc806e828a/)
  })

  it('has a public key and an id of the agreed shapes', () => {
    const { publicKey, machineId } = makeKey(seedOf(3))
    expect(publicKeySchema.parse(publicKey)).toBe(publicKey)
    expect(machineIdSchema.parse(machineId)).toBe(machineId)
    expect(machineId).toMatch(/^m-[0-9a-f]{20}$/)
    expect(machineIdOf(publicKey)).toBe(machineId)
  })

  it('signs what only its own public key verifies', () => {
    const key = makeKey(seedOf(4))
    const signature = key.sign('for this')
    expect(verifySignature(key.publicKey, 'for this', signature)).toBe(true)
    expect(verifySignature(key.publicKey, 'for that', signature)).toBe(false)
    expect(verifySignature(makeKey(seedOf(5)).publicKey, 'for this', signature)).toBe(false)
    expect(verifySignature('nonsense', 'for this', signature)).toBe(false)
    expect(verifySignature(key.publicKey, 'for this', 'nonsense')).toBe(false)
  })

  it('comes back from its saved form, and refuses what is no such key', () => {
    const key = makeKey(seedOf(6))
    expect(loadKey(key.privatePem).publicKey).toBe(key.publicKey)
    expect(() => loadKey('nonsense')).toThrow(RangeError)
  })
})
