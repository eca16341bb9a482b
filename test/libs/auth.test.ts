import { describe, expect, it } from 'vitest'
import { hashSecret, makeToken, parseToken, secretMatches } from '#libs/auth.ts'
import { systemClock } from '#libs/systemClock.ts'

describe('a token', () => {
  it('is made, taken apart and recognised by its hash alone', () => {
    const { token, publicId, secretHash } = makeToken(systemClock, 'user')
    const parts = parseToken(token)
    expect(parts).toMatchObject({ kind: 'user', publicId })
    expect(token).not.toContain(secretHash)
    expect(secretMatches(parts?.secret ?? '', secretHash)).toBe(true)
    expect(secretMatches(`${parts?.secret}x`, secretHash)).toBe(false)
    expect(secretMatches(parts?.secret ?? '', 'short')).toBe(false)
  })
  it('is never the same twice', () => {
    const tokens = Array.from({ length: 100 }, () => makeToken(systemClock, 'join').token)
    expect(new Set(tokens).size).toBe(100)
  })
  it('can carry the id that it is stored under', () => {
    expect(parseToken(makeToken(systemClock, 'agent', 'web-01').token)?.publicId).toBe('web-01')
    expect(() => makeToken(systemClock, 'agent', 'web_01')).toThrow('public id')
  })
  const secret = 'a'.repeat(43)
  it.each([
    '',
    'rmd_user_a',
    `rmd_king_a_${secret}`,
    `rmd_user__${secret}`,
    `rmd_user_a_${secret}b`,
    `Bearer rmd_user_a_${secret}`,
    `rmd_user_a_${'é'.repeat(43)}`,
    `rmd_user_a_${secret}\n`,
    'x'.repeat(10_000),
  ])('is not %j', (text) => expect(parseToken(text)).toBeNull())
  it('is stored as SHA-256', () => {
    expect(hashSecret('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
