import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { Fenced, StoreFault, type EventStore } from '#libs/store/store.ts'
import { everythingIn, firstOf, mustAppend, noted, someCause, type StoreHome } from '#test/support/store.ts'

type Outcome = Awaited<ReturnType<EventStore['append']>> | 'fenced'

const append = (store: EventStore, stream: string, version: number, note: unknown): Promise<Outcome> =>
  store.append(stream, version, [noted(note)], someCause).catch((error: unknown) => {
    if (error instanceof Fenced) return 'fenced'
    throw error
  })

const inWords = (outcome: Outcome) => (typeof outcome === 'string' ? outcome : 'stored')

const noteOf = ({ data }: Recorded) => (data as { note: number }).note

const holding = async (store: EventStore, name: string) => store.fenced(name, await store.raiseFence(name))

export function fencing(createHome: () => StoreHome): void {
  describe('a fence', () => {
    it('counts how often it was raised, each name for itself, and survives a restart', async () => {
      using home = createHome()
      {
        await using store = await home.open()
        expect(await store.fence('relay')).toBe(0)
        expect(await store.raiseFence('relay')).toBe(1)
        const tokens = await Promise.all(Array.from({ length: 5 }, () => store.raiseFence('relay')))
        expect(tokens.toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6])
        expect(await store.raiseFence('Über – 漢字')).toBe(1)
      }
      await using store = await home.open()
      expect([await store.fence('relay'), await store.fence('Über – 漢字')]).toEqual([6, 1])
      expect(await store.raiseFence('relay')).toBe(7)
    })

    it('lets its holder append until somebody else raises it, and then says so', async () => {
      using home = createHome()
      await using store = await home.open()
      const first = await holding(store, 'relay')
      const stored = [...(await mustAppend(first, 'machine-a', 0, noted(1)))]
      const second = await holding(store, 'relay')
      const late = first.append('machine-a', 1, [noted('late')], someCause)
      await expect(late).rejects.toBeInstanceOf(StoreFault)
      await expect(late).rejects.toMatchObject({
        name: 'Fenced',
        message: expect.stringMatching(/Nothing was stored.*taken over relay.*token 1/),
      })
      await expect(first.append('machine-a', 1, [], someCause)).rejects.toThrow(Fenced)
      stored.push(...(await mustAppend(second, 'machine-a', 1, noted(2))))
      stored.push(...(await mustAppend(store, 'machine-a', 2, noted('nobody asked for a fence'))))
      stored.push(...(await mustAppend(store.fenced('relay', 9), 'machine-a', 3, noted('a later token'))))
      expect(await everythingIn(store)).toEqual(stored)
      expect((await store.verify()).problems).toEqual([])
    })

    it('keeps off nobody else of those who are stored together', async () => {
      using home = createHome()
      await using store = await home.open()
      const relay = await holding(store, 'relay')
      const policy = await holding(store, 'policy')
      await store.raiseFence('relay')
      const outcomes = await Promise.all([
        append(store, 'machine-a', 0, 1),
        append(relay, 'machine-a', 1, 'late'),
        append(policy, 'machine-a', 1, 2),
        append(relay, 'machine-new', 0, 'late'),
        append(store, 'machine-new', 0, 3),
        append(store, 'machine-new', 0, 'lost'),
        append(policy.fenced('relay', 1), 'machine-b', 0, 'late'),
        append(store.fenced('relay', 2).fenced('policy', 1), 'machine-b', 0, 4),
      ])
      expect(outcomes.map(inWords)).toEqual([
        'stored',
        'fenced',
        'stored',
        'fenced',
        'stored',
        'conflict',
        'fenced',
        'stored',
      ])
      const events = [...(await everythingIn(store))]
      if (home.lacks?.includes('one order of appends')) events.sort((a, b) => noteOf(a) - noteOf(b))
      expect(events.map(({ data }) => data)).toEqual([1, 2, 3, 4].map((note) => ({ note })))
      expect(events).toEqual(outcomes.filter((outcome) => typeof outcome !== 'string').flat())
    })

    it('when it is raised, everything that its holder ever stores is stored', async () => {
      using home = createHome()
      await using store = await home.open()
      for (let round = 0; round < 5; round++) {
        const holder = await holding(store, 'relay')
        const appends = Array.from({ length: 40 }, async (_, number) => {
          // Some come well before the fence is raised, some with it, some perhaps after it.
          for (let turn = 0; turn < number; turn++) await new Promise((resolve) => setImmediate(resolve))
          return append(holder, `machine-${round}-${number}`, 0, number)
        })
        await Promise.all(appends.slice(0, 3))
        await store.raiseFence('relay')
        const before = await everythingIn(store)
        const outcomes = await Promise.all(appends)
        expect(await everythingIn(store)).toEqual(before)
        expect(await append(holder, `machine-${round}-late`, 0, 'late')).toBe('fenced')
        expect(before.slice(-outcomes.length)).toEqual(
          expect.arrayContaining(outcomes.filter((outcome) => typeof outcome !== 'string').flat()),
        )
      }
    })

    it('opens a view that is the same store in all else, and is not closed with it', async () => {
      using home = createHome()
      await using store = await home.open()
      {
        await using view = await holding(store, 'relay')
        const followed = firstOf(view, 0, 1)
        const appended = await mustAppend(view, 'machine-a', 0, noted(1))
        expect(await followed).toEqual(appended)
        expect(await view.read('machine-a')).toEqual({ version: 1, events: appended })
        await view.saveCheckpoint('relay', 1)
        expect(await view.append('machine-a', 0, [noted('lost')], someCause)).toBe('conflict')
        expect(view.epoch).toBe(store.epoch)
      }
      expect(await store.loadCheckpoint('relay')).toBe(1)
      const view = store.fenced('relay', 1)
      await store[Symbol.asyncDispose]()
      for (const asked of [() => append(view, 'machine-a', 1, 2), () => store.raiseFence('a'), () => store.fence('a')])
        await expect(asked()).rejects.toMatchObject({ name: 'StoreFault' })
    })

    it('has a name that every store can keep, and a whole number for a token', async () => {
      using home = createHome()
      await using store = await home.open()
      for (const name of ['', 'x'.repeat(201), 'a\u0000b', 'half-\ud800']) {
        await expect(store.raiseFence(name)).rejects.toThrow(RangeError)
        await expect(store.fence(name)).rejects.toThrow(RangeError)
        expect(() => store.fenced(name, 1)).toThrow(RangeError)
      }
      for (const token of [-1, 0.5, NaN]) expect(() => store.fenced('relay', token)).toThrow(/whole number/)
    })
  })
}
