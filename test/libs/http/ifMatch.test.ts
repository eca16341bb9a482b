import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Http } from '#libs/http/http.ts'
import { versionOf } from '#libs/http/ifMatch.ts'
import { as, testHttp } from '#test/support/http.ts'

describe('the version that If-Match names', () => {
  it.each([
    [undefined, null],
    ['*', null],
    ['"7"', 7],
    ['W/"7"', 7],
    ['"0"', 0],
  ])('%s is %s', (header, version) => expect(versionOf(header)).toBe(version))

  it.each(['"seven"', '7', '"-1"', '"1", "2"', ''])('is refused when it is none: %s', (header) =>
    expect(() => versionOf(header)).toThrow('VERSION_CHANGED'),
  )
})

describe('a route that keeps no version', () => {
  const schema = { tags: ['herd'], summary: 'A route of the test', response: { 200: z.looseObject({}) } }
  const routes = (app: Http) => {
    app.put('/v1/plain', { config: { scope: 'write' }, schema }, () => ({}))
    app.put('/v1/versioned', { config: { scope: 'write', versioned: true }, schema }, () => ({}))
  }
  it('says so instead of changing what the caller has not seen', async () => {
    const app = await testHttp(routes)
    const put = async (url: string, ifMatch: string) =>
      (await app.inject({ method: 'PUT', url, headers: { ...as('writer'), 'if-match': ifMatch } })).statusCode
    expect(await put('/v1/plain', '"7"')).toBe(400)
    expect(await put('/v1/plain', '*')).toBe(200)
    expect(await put('/v1/versioned', '"7"')).toBe(200)
  })
})
