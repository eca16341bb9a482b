import fc from 'fast-check'
import { expect, it } from 'vitest'
import { NameCache } from '#libs/store/sqlite/nameCache.ts'

it('the cache of names answers the right name or none, and knows the last ones it was told', () => {
  const numbers = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(numbers, numbers, (told, forgotten) => {
      const cache = new NameCache()
      for (const no of told) {
        cache.set(no, `name-${no}`)
        expect(cache.get(no)).toBe(`name-${no}`)
      }
      for (const no of told) expect([undefined, `name-${no}`]).toContain(cache.get(no))
      for (const no of forgotten) {
        cache.forget(no)
        expect(cache.get(no)).toBeUndefined()
      }
    }),
  )
})

it('the cache of names holds all of as many streams as it has room for', () => {
  const cache = new NameCache()
  for (let no = 20_000; no > 0; no--) cache.set(no, `name-${no}`)
  for (let no = 1; no <= 20_000; no++) cache.set(no, `name-${no}`)
  expect(Array.from({ length: 20_000 }, (_, at) => cache.get(at + 1))).toEqual(
    Array.from({ length: 20_000 }, (_, at) => `name-${at + 1}`),
  )
})
