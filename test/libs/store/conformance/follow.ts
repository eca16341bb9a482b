import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventStore } from '#libs/store/store.ts'
import {
  everythingIn,
  expectInOrder,
  firstOf,
  mustAppend,
  noted,
  positionsOf,
  type StoreHome,
} from '#test/support/store.ts'

export function following(createHome: () => StoreHome): void {
  let home: StoreHome
  let store: EventStore
  beforeEach(async () => {
    home = createHome()
    store = await home.open()
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    home[Symbol.dispose]()
  })

  const fill = async (count: number) => {
    const facts = Array.from({ length: count }, (_, number) => noted(number))
    const { version } = await store.read('machine-filled')
    for (let from = 0; from < count; from += 500)
      await mustAppend(store, 'machine-filled', version + from, ...facts.slice(from, from + 500))
  }

  describe('who follows', () => {
    it('gets everything from the beginning, in pages without gaps', async () => {
      await fill(2_345)
      const followed = await firstOf(store, 0, 2_345)
      expect(followed.map(({ meta }) => meta.version)).toEqual(followed.map((_, at) => at + 1))
      expectInOrder(home, followed)
    })

    it('gets what comes after a position', async () => {
      await fill(10)
      const all = await everythingIn(store)
      expect(await firstOf(store, positionsOf(all)[6] ?? 0, 3)).toEqual(all.slice(7))
    })

    it('gets what is appended later, as it would be read later', async () => {
      const live = firstOf(store, 0, 3)
      await mustAppend(store, 'machine-a', 0, { type: 'Noted', data: { at: new Date(0), none: undefined } })
      await mustAppend(store, 'machine-b', 0, noted(2), noted(3))
      expect(await live).toStrictEqual(await everythingIn(store))
    })

    it('may be slow without missing anything, and without holding up another', async () => {
      const seen: number[] = []
      const stop = new AbortController()
      const slow = (async () => {
        for await (const page of store.follow(0, stop.signal)) {
          seen.push(...positionsOf(page))
          if (seen.length >= 120) stop.abort()
          await store.read('machine-a')
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      })()
      const quick = firstOf(store, 0, 120)
      for (let version = 0; version < 120; version++) await mustAppend(store, 'machine-a', version, noted(version))
      expect(await quick).toEqual(await everythingIn(store))
      await slow
      expect(seen).toEqual(positionsOf(await quick))
    })

    it('ends at once when told to, also while waiting', async () => {
      await fill(3)
      const stop = new AbortController()
      const pages: number[] = []
      const ended = (async () => {
        for await (const page of store.follow(0, stop.signal)) pages.push(page.length)
      })()
      await expect.poll(() => pages).toEqual([3])
      stop.abort()
      await ended
      await fill(1)
      expect(pages).toEqual([3])
      for await (const page of store.follow(0, stop.signal)) expect.unreachable(`a page of ${page.length}`)
    })

    it('hears of it when the store is closed under it', async () => {
      const ended = firstOf(store, 0, 1)
      const outcome = expect(ended).rejects.toThrow(/closed while it was being followed/)
      await store[Symbol.asyncDispose]()
      await outcome
    })

    it('sees no event twice and none too early while many write', async () => {
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let version = 0; version < 40; version++)
          await mustAppend(store, `machine-${writer}`, version, noted(version))
      })
      const [first] = await firstOf(store, 0, 1)
      const middle = first?.meta.position ?? 0
      const [fromStart, fromMiddle] = await Promise.all([
        firstOf(store, 0, 320),
        firstOf(store, middle, 319),
        ...writers,
      ])
      expectInOrder(home, fromStart)
      expect(fromStart).toStrictEqual(await everythingIn(store))
      expect(fromMiddle).toStrictEqual(fromStart.slice(1))
    })
  })
}
