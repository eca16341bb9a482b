import { describe, expect, it } from 'vitest'
import { makeSecret, signedHeaders } from '#services/notify/signature.ts'
import { createVirtualClock } from '#test/support/virtualClock.ts'

// What https://www.standardwebhooks.com and the libraries that follow it are tested with.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampS: 1_614_265_330, body: '{"test": 2432232314}' }
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const signatureOf = (changes: Partial<typeof message>, ...secrets: readonly string[]) =>
  signedHeaders({ ...message, ...changes }, secrets)['webhook-signature']

describe('a signature', () => {
  it('is that of the standard', () => {
    expect(signedHeaders(message, [secret])).toEqual({
      'webhook-id': message.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    })
  })
  it.each([{ id: 'msg_another' }, { timestampS: message.timestampS + 1 }, { body: '{"test": 2432232315}' }])(
    'holds for nothing else: %o',
    (changes) => expect(signatureOf(changes, secret)).not.toBe(signature),
  )
  it('is made by each secret, the newest first', () => {
    const other = `whsec_${Buffer.from('another secret of enough bytes..').toString('base64')}`
    const [first, second] = signatureOf({}, other, secret).split(' ')
    expect([first, second]).toEqual([signatureOf({}, other), signature])
  })
  it('counts bytes, not characters', () => {
    expect(signatureOf({ body: '{"name":"Zoë 🐴"}' }, secret)).toBe('v1,XvodsqQxgKNS7iKcq/i7kI9kFsj4ehat9FrSW0rO4j8=')
  })
})

describe('a secret', () => {
  it('is of 32 bytes, written as the standard writes it, and never the same', () => {
    const clock = createVirtualClock({ seed: 1 })
    const made = [makeSecret(clock), makeSecret(clock)]
    for (const one of made) {
      expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
      expect(Buffer.from(one.slice(6), 'base64')).toHaveLength(32)
    }
    expect(made[0]).not.toBe(made[1])
  })
})
