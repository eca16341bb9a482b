import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import {
  everythingIn,
  expectInOrder,
  firstOf,
  mustAppend,
  noted,
  someCause,
  type StoreHome,
} from '#test/support/store.ts'

/** Events of a store that has had its own history: several times, causes and streams. */
async function history(): Promise<readonly Recorded[]> {
  let wallMs = 1_790_000_000_000
  const slow = { ...clock, wallMs: () => wallMs }
  await using store = openMemoryStore({ clock: slow })
  const awkward = { ünï: '漢字 🐎\u0000\ud800', deep: [{ a: null }], 7: 1, big: 'x'.repeat(100_000) }
  await mustAppend(store, 'machine-a', 0, noted(1), noted(2))
  wallMs += 5
  await store.append('machine-ü', 0, [{ type: 'Töld', data: awkward }], {
    ...someCause,
    actor: 'ün"ï\\',
    causationId: 'c',
  })
  wallMs -= 60_000
  await mustAppend(store, 'machine-a', 2, noted(3))
  await mustAppend(store, 'machine-b', 0, noted(4))
  return await everythingIn(store)
}

/** What an event is wherever it is. */
const anywhere = ({ type, data, meta }: Recorded) => ({ type, data, meta: { ...meta, position: null } })

const last = (events: readonly Recorded[]) => events.at(-1)?.meta.position

export function adopting(createHome: () => StoreHome): void {
  describe('events of another store', () => {
    it('are taken over as they are, and the store goes on behind them', async () => {
      using home = createHome()
      const events = await history()
      {
        await using store = await home.open()
        const followed = firstOf(store, 0, events.length)
        const firstThree = await store.adopt(events.slice(0, 3))
        expect(firstThree).toBe(last(await everythingIn(store)))
        const all = await store.adopt(events.slice(3))
        expect(all).toBe(last(await everythingIn(store)))
        expect((await followed).map(anywhere)).toEqual(events.map(anywhere))
        expectInOrder(home, await followed)
        await mustAppend(store, 'machine-a', 3, noted('next'))
        expect((await store.verify()).problems).toEqual([])
      }
      await using store = await home.open()
      const stored = await everythingIn(store)
      expect(stored.slice(0, -1).map(anywhere)).toEqual(events.map(anywhere))
      expect((await store.read('machine-ü')).events).toEqual([stored[2]])
      expect(await store.append('machine-b', 0, [noted('late')], someCause)).toBe('conflict')
      const [next] = await mustAppend(store, 'machine-b', 1, noted('next'))
      expect(next?.meta.version).toBe(2)
      expectInOrder(home, [...stored, next!])
      expect(await store.verify()).toMatchObject({ events: events.length + 2, streams: 3, problems: [] })
    })

    it('get positions behind what is there, also together with what is appended in the same moment', async () => {
      using home = createHome()
      await using store = await home.open()
      const events = await history()
      await mustAppend(store, 'machine-own', 0, noted('own'))
      const outcomes = await Promise.all([
        store.append('machine-own', 1, [noted('own')], someCause),
        store.adopt(events),
        store.append('machine-own', 2, [noted('own')], someCause),
      ])
      expect(outcomes).not.toContain('conflict')
      const stored = await everythingIn(store)
      expectInOrder(home, stored)
      // Where appends have no one order, some may come between; everywhere those taken over keep theirs.
      const first = stored.findIndex(({ meta }) => meta.id === events[0]?.meta.id)
      const taken = home.lacks?.includes('one order of appends')
        ? stored.filter(({ meta }) => meta.stream !== 'machine-own')
        : stored.slice(first, first + events.length)
      expect(taken.map(anywhere)).toEqual(events.map(anywhere))
      expect(outcomes[1]).toBe(last(taken))
      expect(await store.verify()).toMatchObject({ events: events.length + 3, problems: [] })
    })

    it('are refused whole when one of them does not continue its stream', async () => {
      using home = createHome()
      await using store = await home.open()
      const events = await history()
      expect(await store.adopt(events.slice(1))).toBe('conflict')
      expect(await store.adopt(events.filter((_, index) => index !== 1))).toBe('conflict')
      const own = await mustAppend(store, 'machine-b', 0, noted('own'))
      expect(await store.adopt(events)).toBe('conflict')
      expect(await store.head()).toBe(last(own))
      expect(await store.read('machine-a')).toEqual({ version: 0, events: [] })
      const taken = await store.adopt(events.slice(0, 4))
      expect(await everythingIn(store)).toHaveLength(5)
      expect(taken).toBe(await store.head())
      expect(await store.adopt(events.slice(0, 4))).toBe('conflict')
      expect((await store.verify()).problems).toEqual([])
    })

    it('are refused with what is wrong when no store could keep them', async () => {
      using home = createHome()
      await using store = await home.open()
      const [event] = await history()
      const changed = (meta: object) => ({ ...event, meta: { ...event?.meta, ...meta } }) as Recorded
      const refused: [Recorded[], RegExp][] = [
        [[], /1 to 1000 events/],
        [Array<Recorded>(1_001).fill(event as Recorded), /not 1001/],
        [[changed({ stream: '' })], /stream's name/],
        [[changed({ id: 'a\nb' })], /event's id/],
        [[changed({ version: 0 })], /from 1, not 0/],
        [[changed({ at: 0.5 })], /the time of version 1/],
        [[changed({ actor: undefined })], /the cause of version 1/],
        [[{ ...changed({}), data: undefined }], /nothing that JSON can say/],
      ]
      for (const [events, message] of refused) await expect(store.adopt(events)).rejects.toThrow(message)
      expect(await store.head()).toBe(0)
    })
  })

  describe('a successor of another store', () => {
    it('is in an epoch above both when it is opened next, and only then', async () => {
      using home = createHome()
      const other = 1_900_000_000
      {
        await using store = await home.open()
        expect(store.epoch).toBe(1)
        await store.succeed(other)
        await expect(store.succeed(-1)).rejects.toThrow(RangeError)
      }
      let epoch: number
      {
        await using store = await home.open()
        epoch = store.epoch
        expect(epoch).toBeGreaterThan(other)
      }
      await using store = await home.open()
      expect(store.epoch).toBe(epoch)
    })

    it('can be told every checkpoint there is', async () => {
      using home = createHome()
      await using store = await home.open()
      expect(await store.listCheckpoints()).toEqual([])
      await store.saveCheckpoint('relay', 7)
      await store.saveCheckpoint('policy', 1_790_000_000_000)
      expect(await store.listCheckpoints()).toHaveLength(2)
      expect(await store.listCheckpoints()).toEqual(
        expect.arrayContaining([
          { name: 'relay', position: 7 },
          { name: 'policy', position: 1_790_000_000_000 },
        ]),
      )
    })
  })
}
