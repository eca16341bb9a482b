import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storeLimits } from '#libs/store/limits.ts'
import type { EventStore } from '#libs/store/store.ts'
import {
  everythingIn,
  expectInOrder,
  mustAppend,
  noted,
  positionsOf,
  someCause,
  type StoreHome,
} from '#test/support/store.ts'

export function appending(createHome: () => StoreHome): void {
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

  describe('when facts are appended', () => {
    it('answers them as recorded, with versions and positions in order', async () => {
      const first = await mustAppend(store, 'machine-a', 0, noted(1), noted(2))
      const [third] = await mustAppend(store, 'machine-b', 0, noted(3))
      expect(first.map(({ meta }) => [meta.stream, meta.version])).toEqual([
        ['machine-a', 1],
        ['machine-a', 2],
      ])
      expect(third).toMatchObject({ type: 'Noted', data: { note: 3 }, meta: { stream: 'machine-b', version: 1 } })
      expectInOrder(home, [...first, third!])
      expect(third?.meta).toMatchObject(someCause)
      expect(new Set([...first, third].map((event) => event?.meta.id)).size).toBe(3)
    })

    it('gives each fact its own cause when there is a list of them', async () => {
      const causes = ['one', 'two', 'two'].map((commandId) => ({ ...someCause, commandId }))
      const facts = [noted(1), noted(2), noted(3)]
      const appended = await store.append('machine-a', 0, facts, causes)
      const { events } = await store.read('machine-a')
      expect(events).toEqual(appended)
      expect(events.map(({ meta }) => meta.commandId)).toEqual(['one', 'two', 'two'])
      const tooFew = (async () => store.append('machine-a', 3, facts, causes.slice(1)))()
      await expect(tooFew).rejects.toThrow(/3 facts with 2 causes/)
    })

    it('reads back what it answered', async () => {
      const appended = await mustAppend(store, 'machine-a', 0, noted(1), noted(2))
      expect(await store.read('machine-a')).toEqual({ version: 2, events: appended })
      expect(await store.readAll(0, 10)).toEqual(appended)
      expect(await store.head()).toBe(appended[1]?.meta.position)
    })

    it('reads a stream after a version, and one that does not exist as empty', async () => {
      await mustAppend(store, 'machine-a', 0, noted(1), noted(2), noted(3))
      await mustAppend(store, 'machine-b', 0, noted('other'))
      await mustAppend(store, 'machine-a', 3, noted(4))
      const { version, events } = await store.read('machine-a', 2)
      expect([version, events.map(({ meta }) => meta.version)]).toEqual([4, [3, 4]])
      expect(await store.read('machine-a', 4)).toEqual({ version: 4, events: [] })
      expect(await store.read('machine-none')).toEqual({ version: 0, events: [] })
    })

    it('pages through all streams', async () => {
      for (let number = 0; number < 7; number++) await mustAppend(store, `machine-${number}`, 0, noted(number))
      const all = await store.readAll(0, 10)
      const [, second = 0] = positionsOf(all)
      expect(await store.readAll(second, 3)).toEqual(all.slice(2, 5))
      expect(await store.readAll(await store.head(), 3)).toEqual([])
    })

    it('finds an event by its position', async () => {
      for (let number = 0; number < 3; number++) await mustAppend(store, `machine-${number}`, 0, noted(number))
      for (const event of await everythingIn(store))
        expect(await store.readAll(event.meta.position - 1, 1)).toEqual([event])
    })

    it('keeps what JSON can say, and nothing that is only in memory', async () => {
      const data = {
        ünï: '漢字 🐎\u0000\ud800',
        deep: [{ a: null }],
        none: undefined,
        at: new Date(0),
        big: 'x'.repeat(300_000),
      }
      await mustAppend(store, 'stream-ü 🐎', 0, { type: 'Töld', data })
      const [event] = (await store.read('stream-ü 🐎')).events
      expect(event?.type).toBe('Töld')
      expect(event?.data).toStrictEqual(JSON.parse(JSON.stringify(data)))
    })

    it('stores no later change of what it was given', async () => {
      const data = { roles: ['web'] }
      const appended = store.append('machine-a', 0, [{ type: 'Registered', data }], someCause)
      data.roles.push('changed')
      await appended
      data.roles.push('changed again')
      expect((await store.read('machine-a')).events[0]?.data).toEqual({ roles: ['web'] })
    })
  })

  describe('when the version is not the expected one', () => {
    it('answers a conflict and leaves no trace', async () => {
      const [first] = await mustAppend(store, 'machine-a', 0, noted(1))
      for (const version of [0, 2, 7])
        expect(await store.append('machine-a', version, [noted('lost')], someCause)).toBe('conflict')
      expect(await store.append('machine-new', 1, [noted('lost')], someCause)).toBe('conflict')
      expect(await store.head()).toBe(first?.meta.position)
      expect(await store.read('machine-new')).toEqual({ version: 0, events: [] })
      // A store that counts a lost race refuses the right version for ever after.
      await mustAppend(store, 'machine-a', 1, noted(2))
      await mustAppend(store, 'machine-new', 0, noted(3))
      const all = await everythingIn(store)
      expect(all.length).toBe(3)
      expectInOrder(home, all)
      expect((await store.verify()).problems).toEqual([])
    })

    it('lets exactly one of many writers win', async () => {
      const race = Array.from({ length: 20 }, (_, writer) =>
        store.append('machine-a', 0, [noted(writer), noted(writer)], someCause),
      )
      const outcomes = await Promise.all(race)
      expect(outcomes.filter((outcome) => outcome !== 'conflict')).toHaveLength(1)
      const { version, events } = await store.read('machine-a')
      expect([version, new Set(events.map(({ data }) => JSON.stringify(data))).size]).toEqual([2, 1])
    })

    it('stores appends that follow each other without waiting', async () => {
      const outcomes = await Promise.all(
        [0, 1, 2, 3].map((version) => store.append('machine-a', version, [noted(version)], someCause)),
      )
      expect(outcomes).not.toContain('conflict')
      expect((await store.read('machine-a')).events.map(({ data }) => data)).toEqual(
        [0, 1, 2, 3].map((note) => ({ note })),
      )
    })

    it('answers an append of nothing by the version alone', async () => {
      expect(await store.append('machine-a', 0, [], someCause)).toEqual([])
      expect(await store.append('machine-a', 1, [], someCause)).toBe('conflict')
      expect(await store.read('machine-a')).toEqual({ version: 0, events: [] })
    })
  })

  it('keeps many streams apart under many concurrent writers', async () => {
    const streams = Array.from({ length: 60 }, (_, number) => `machine-${number}`)
    await Promise.all(
      streams.map(async (stream, number) => {
        for (let version = 0; version < 5; version++) await mustAppend(store, stream, version, noted(number))
      }),
    )
    for (const [number, stream] of streams.entries())
      expect((await store.read(stream)).events.map(({ data, meta }) => [data, meta.version])).toEqual(
        [1, 2, 3, 4, 5].map((version) => [{ note: number }, version]),
      )
    expectInOrder(home, await everythingIn(store))
    expect(await store.verify()).toEqual({ events: 300, streams: 60, problems: [] })
  })

  it('refuses what no store could keep, and says what is wrong', async () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    const refused: [stream: string, version: number, facts: unknown[], message: RegExp][] = [
      ['', 0, [noted(1)], /1 to 400 characters/],
      ['x'.repeat(storeLimits.streamCharsMax + 1), 0, [noted(1)], /this one 401/],
      ['line\nbreak', 0, [noted(1)], /control characters/],
      ['half-\ud800', 0, [noted(1)], /well-formed/],
      ['machine-a', -1, [noted(1)], /not -1/],
      ['machine-a', 0.5, [noted(1)], /not 0.5/],
      ['machine-a', 0, [{ type: '', data: {} }], /type has 1 to 128/],
      ['machine-a', 0, [{ type: 'T', data: circle }], /can not be written as JSON/],
      ['machine-a', 0, [{ type: 'T', data: undefined }], /nothing that JSON can say/],
      ['machine-a', 0, [noted('x'.repeat(storeLimits.factBytesMax))], /bytes, at most 1048576/],
      ['machine-a', 0, Array(storeLimits.factsPerAppendMax + 1).fill(noted(1)), /1001 facts in one append/],
    ]
    for (const [stream, version, facts, message] of refused)
      await expect(store.append(stream, version, facts as never, someCause)).rejects.toThrow(message)
    await expect(store.readAll(0, 0)).rejects.toThrow(RangeError)
    await expect(store.readAll(-1, 1)).rejects.toThrow(RangeError)
    expect(await store.head()).toBe(0)
  })
}
