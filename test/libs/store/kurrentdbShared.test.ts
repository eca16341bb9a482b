import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyStore } from '#libs/store/copy.ts'
import { openKurrentStore } from '#libs/store/kurrentdb.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { plain } from '#test/support/kurrent/log.ts'
import { freshPrefix } from '#test/support/kurrentHome.ts'
import { KurrentServer } from '#test/support/kurrentServer.ts'
import { everythingIn, messageOf, mustAppend, noted, someCause } from '#test/support/store.ts'

let server: KurrentServer
beforeAll(async () => void (server = await KurrentServer.start()))
afterAll(() => server[Symbol.asyncDispose]())

const open = (prefix: string, options = '') =>
  openKurrentStore({ url: server.url(prefix, options), clock, patienceMs: 200 })

describe('a KurrentDB server that is shared', () => {
  it('shows a store nothing of others, nor of what KurrentDB and we keep beside the events', async () => {
    const prefix = freshPrefix()
    await using store = await open(prefix)
    await using other = await open(freshPrefix())
    const appended = [...(await mustAppend(store, 'machine-a', 0, noted(1)))]
    await mustAppend(other, 'machine-a', 0, noted('other'))
    server.log.append('orders-2', 'any', [plain('OrderPlaced', '{}')])
    server.log.append(`${prefix}2.machine-a`, 'any', [plain('Noted', '{}')])
    await store.saveCheckpoint('relay', appended[0]!.meta.position)
    appended.push(...(await mustAppend(store, 'machine-b', 0, noted(2))))
    expect(await everythingIn(store)).toEqual(appended)
    expect(await store.verify()).toEqual({ events: 2, streams: 2, problems: [] })
  })

  it('keeps only the last of what is kept beside the events', async () => {
    const prefix = freshPrefix()
    await using store = await open(prefix)
    for (const position of [3, 5, 4, 9]) await store.saveCheckpoint('relay', position)
    expect(await store.loadCheckpoint('relay')).toBe(9)
    expect(server.log.stream(`${prefix}:checkpoint-relay`)).toHaveLength(1)
  })

  it('keeps no more of what was parked once nothing is', async () => {
    const prefix = freshPrefix()
    await using store = await open(prefix)
    const parked = { stream: 'machine-a', type: 'Noted', reason: 'no', attempts: 1, parkedAt: 0 }
    for (const position of [1, 2, 3]) await store.park({ ...parked, reactor: 'policy', position })
    for (const position of [1, 2, 3]) await store.unpark('policy', position)
    expect(await store.listParked()).toEqual([])
    expect(server.log.stream(`${prefix}:parked`)?.map(({ metadata }) => metadata.get('type'))).toEqual([
      'EventUnparked',
    ])
    await store.park({ ...parked, reactor: 'policy', position: 4 })
    expect((await store.listParked()).map(({ position }) => position)).toEqual([4])
  })

  it('reads behind a position that no event has', async () => {
    await using store = await open(freshPrefix())
    const appended = []
    for (let number = 0; number < 4; number++)
      appended.push(...(await mustAppend(store, `machine-${number}`, 0, noted(number))))
    const [, second] = appended
    expect(await store.readAll(second!.meta.position + 7, 10)).toEqual(appended.slice(2))
    expect(await store.readAll(second!.meta.position - 7, 2)).toEqual(appended.slice(1, 3))
    expect(await store.readAll(second!.meta.position + 7, 1)).toEqual(appended.slice(2, 3))
    expect(await store.readAll(5, 10)).toEqual(appended)
    expect(await store.readAll(appended.at(-1)!.meta.position + 7, 10)).toEqual([])
  })

  it('says which of its events was not written by Remuda', async () => {
    const prefix = freshPrefix()
    await using store = await open(prefix)
    await mustAppend(store, 'machine-a', 0, noted(1))
    server.log.append(`${prefix}.machine-a`, 'any', [plain('Noted', '{}')])
    expect(await messageOf(() => store.read('machine-a'))).toMatch(
      /of machine-a at position \d+ was not written by Remuda/,
    )
    expect((await store.verify()).problems).toEqual([expect.stringMatching(/the event of machine-a can not be read/)])
  })

  it('says what to do when it takes no append of this size', async () => {
    await using store = await open(freshPrefix())
    const facts = [noted('x'.repeat(600_000)), noted('x'.repeat(600_000))]
    expect(await messageOf(() => store.append('machine-a', 0, facts, someCause))).toMatch(/Raise MaxAppendSize/)
    const tooMany = Array.from({ length: 17 }, () => noted('ü'.repeat(500_000)))
    expect(await messageOf(() => store.append('machine-a', 0, tooMany, someCause))).toMatch(/takes 16777216 at most/)
    expect(await store.head()).toBe(0)
  })

  it('says what to do when it does not let us in', async () => {
    await using closed = await KurrentServer.start()
    closed.faults.isClosedToUs = true
    const opened = openKurrentStore({ url: closed.url('remuda'), clock, patienceMs: 5_000 })
    await expect(opened).rejects.toThrow(/refuses this user or password, or the user may not read \$all/)
  })
})

describe('a copy', () => {
  it('goes to KurrentDB and back again, whole', async () => {
    await using from = openMemoryStore({ clock })
    for (let version = 0; version < 3; version++) {
      await mustAppend(from, 'machine-a', version, noted(version))
      await mustAppend(from, `machine-${version}`, 0, noted('x'.repeat(200_000)), noted('x'.repeat(400_000)))
    }
    const foreign = { ...someCause, id: 'no uuid', stream: 'machine-b', version: 1, position: 0, at: 1 }
    await from.adopt([{ type: 'Noted', data: {}, meta: foreign }])
    await from.saveCheckpoint('relay', await from.head())
    const { signal } = new AbortController()

    await using store = await open(freshPrefix())
    const there = await copyStore({ from, to: store, signal })
    await using back = openMemoryStore({ clock })
    const again = await copyStore({ from: store, to: back, signal })
    expect(again).toEqual(there)
    expect(await everythingIn(back)).toEqual(await everythingIn(from))
    expect(await store.loadCheckpoint('relay')).toBe(await store.head())
    expect(await back.loadCheckpoint('relay')).toBe(await from.head())
    expect((await copyStore({ from, to: store, signal })).copied).toBe(0)
  })
})

describe('the epoch of a KurrentDB store', () => {
  it('is a new one after each restore that it is told of, and only once', async () => {
    const prefix = freshPrefix()
    const epochOf = async (options = '') => {
      await using store = await open(prefix, options)
      return store.epoch
    }
    expect([await epochOf(), await epochOf()]).toEqual([1, 1])
    const monday = await epochOf('&restored=monday')
    expect(monday).toBeGreaterThan(1)
    expect([await epochOf('&restored=monday'), await epochOf()]).toEqual([monday, monday])
    expect(await epochOf('&restored=tuesday')).toBeGreaterThan(monday)
  })

  it('is left as it is by who only looks, who is told when there is nothing to look at', async () => {
    const prefix = freshPrefix()
    const look = () => openKurrentStore({ url: server.url(prefix, '&restored=monday'), clock, lookOnly: true })
    await expect(look()).rejects.toThrow(/There is no event store with this prefix at kurrentdb:/)
    expect(server.log.stream(`${prefix}:epoch`)).toBeNull()
    await (await open(prefix))[Symbol.asyncDispose]()
    await using looking = await look()
    expect(looking.epoch).toBe(1)
    await using store = await open(prefix)
    expect(store.epoch).toBe(1)
  })

  it('is the same for processes that open it at the same time', async () => {
    const prefix = freshPrefix()
    const stores = await Promise.all(Array.from({ length: 4 }, () => open(prefix, '&restored=monday')))
    expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1)
    for (const store of stores) await store[Symbol.asyncDispose]()
  })
})

describe('two processes at one KurrentDB store', () => {
  it('keep off each other by fences, soon after one was raised', async () => {
    const prefix = freshPrefix()
    await using one = await open(prefix)
    await using other = await open(prefix)
    const holder = one.fenced('relay', await one.raiseFence('relay'))
    await mustAppend(holder, 'machine-a', 0, noted(1))
    expect(await other.raiseFence('relay')).toBe(2)
    await expect(holder.append('machine-a', 1, [noted('late')], someCause)).rejects.toMatchObject({ name: 'Fenced' })
    expect(await everythingIn(other)).toHaveLength(1)
  })

  it('never set a checkpoint back', async () => {
    const prefix = freshPrefix()
    await using one = await open(prefix)
    await using other = await open(prefix)
    await Promise.all(
      Array.from({ length: 10 }, (_, at) => (at % 2 ? one : other).saveCheckpoint('relay', at === 4 ? 99 : at)),
    )
    expect(await one.loadCheckpoint('relay')).toBe(99)
  })
})
