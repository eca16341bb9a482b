import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { copyStore, CopyRefused } from '#libs/store/copy.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { goldenFacts } from '#test/support/golden.ts'
import { everythingIn, mustAppend, noted, sqliteHome } from '#test/support/store.ts'
import { watchedStore } from '#test/support/stores.ts'

const { signal } = new AbortController()
const memory = () => openMemoryStore({ clock })
const copy = (from: EventStore, to: EventStore) => copyStore({ from, to, signal })

/** Positions as a store gives them that counts more than events. */
const gapped = (position: number) => position * 10 + 3

/** The same events, with gaps between their positions and behind the last. */
const withGaps = (store: EventStore): EventStore => ({
  ...store,
  head: async () => gapped(await store.head()) + 5,
  readAll: async (after, limit) =>
    (await store.readAll(Math.max(0, Math.floor((after - 3) / 10)), limit)).map(({ type, data, meta }) => ({
      type,
      data,
      meta: { ...meta, position: gapped(meta.position) },
    })),
})

const fill = async (store: EventStore, count: number, data = 'x') => {
  for (let number = 0; number < count; number++)
    await mustAppend(store, `machine-${number % 7}`, Math.floor(number / 7), noted(`${data}${number}`))
}

describe('copying a store', () => {
  it('makes the other hold every event as it is, and says what of it is new', async () => {
    using home = sqliteHome()
    await using from = await home.open()
    await using to = memory()
    for (const [index, fact] of goldenFacts.entries())
      await mustAppend(from, `golden-${index % 5}`, Math.floor(index / 5), fact)
    await fill(from, 1_200)
    const first = await copy(from, to)
    expect(first).toMatchObject({ events: goldenFacts.length + 1_200, copied: goldenFacts.length + 1_200 })
    expect(await everythingIn(to)).toEqual(await everythingIn(from))
    expect(await copy(from, to)).toEqual({ ...first, copied: 0 })
    await mustAppend(from, 'machine-new', 0, noted('later'))
    const second = await copy(from, to)
    expect(second).toMatchObject({ events: first.events + 1, copied: 1 })
    expect(second.sha256).not.toBe(first.sha256)
  })

  it('goes on where it was interrupted, wherever that was, and ends the same', async () => {
    await using from = memory()
    await fill(from, 2_600)
    const whole = await copy(from, memory())
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }), async (stops) => {
        await using to = memory()
        for (const batches of stops) {
          const stop = new AbortController()
          let left = batches
          const interrupted = watchedStore(to, {
            adopt: async (events) => {
              if (left-- === 0) throw new Error('killed')
              return to.adopt(events)
            },
          })
          await copyStore({ from, to: interrupted, signal: stop.signal }).catch(() => {})
        }
        const { events, sha256 } = await copy(from, to)
        expect({ events, sha256 }).toEqual({ events: whole.events, sha256: whole.sha256 })
        expect(await everythingIn(to)).toEqual(await everythingIn(from))
      }),
      { numRuns: 12 },
    )
  })

  it('ends between batches when it is told to', async () => {
    await using from = memory()
    await fill(from, 1_200)
    await using to = memory()
    const stop = new AbortController()
    const onProgress = () => stop.abort()
    await expect(copyStore({ from, to, signal: stop.signal, onProgress })).rejects.toThrow(/aborted/)
    expect(await to.head()).toBe(1_000)
  })

  it('refuses a target that holds other events, and writes nothing to it', async () => {
    await using from = memory()
    await fill(from, 20)
    await using other = memory()
    await mustAppend(other, 'machine-0', 0, noted('own'))
    await expect(copy(from, other)).rejects.toThrow(/holds Noted \(version 1 of machine-0, at position 1\) where/)
    expect(await other.head()).toBe(1)

    await using longer = memory()
    await copy(from, longer)
    await mustAppend(longer, 'machine-own', 0, noted('own'))
    await expect(copy(from, longer)).rejects.toThrow(CopyRefused)
    await expect(copy(from, longer)).rejects.toThrow(/goes on with Noted \(version 1 of machine-own/)
  })

  it.each<[string, (event: Recorded) => Recorded]>([
    ['data', (event) => ({ ...event, data: { note: 'forged' } })],
    ['time', (event) => ({ ...event, meta: { ...event.meta, at: event.meta.at + 1 } })],
    ['id', (event) => ({ ...event, meta: { ...event.meta, id: 'forged' } })],
    ['cause', (event) => ({ ...event, meta: { ...event.meta, actor: 'forged' } })],
  ])('finds that the target has stored another %s', async (_what, change) => {
    await using from = memory()
    await fill(from, 10)
    await using to = memory()
    const careless = {
      ...to,
      adopt: (events: readonly Recorded[]) => to.adopt(events.map((event, at) => (at === 4 ? change(event) : event))),
    }
    await expect(copy(from, careless)).rejects.toThrow(/The target holds Noted .*at position 5/)
  })

  it('takes the places of reactors along, also where positions change', async () => {
    await using inner = memory()
    await fill(inner, 30)
    const from = withGaps(inner)
    const parked = { reactor: 'policy', stream: 'machine-4', type: 'Noted', reason: 'no', attempts: 3, parkedAt: 1 }
    const aTime = 1_790_000_000_000
    const checkpoints = {
      none: 0,
      seventh: gapped(7),
      between: gapped(12) + 4,
      last: gapped(30),
      head: gapped(30) + 5,
      aTime,
    }
    for (const [name, position] of Object.entries(checkpoints)) await from.saveCheckpoint(name, position)
    await from.park({ ...parked, position: gapped(5) })
    await using to = memory()
    await copy(from, to)
    const kept = Object.fromEntries((await to.listCheckpoints()).map(({ name, position }) => [name, position]))
    expect(kept).toEqual({ none: 0, seventh: 7, between: 12, last: 30, head: 30, aTime })
    expect(await to.listParked()).toEqual([{ ...parked, position: 5 }])
    expect((await everythingIn(to)).map(({ meta }) => meta.id)).toEqual(
      (await everythingIn(inner)).map(({ meta }) => meta.id),
    )
  })

  it('leaves the other in an epoch above both, and only when there was something to do', async () => {
    const [source, disk] = [createMemoryDisk(), createMemoryDisk()]
    source.epoch = 1_900_000_000
    await using from = openMemoryStore({ clock, disk: source })
    await fill(from, 3)
    await copy(from, openMemoryStore({ clock, disk }))
    const { epoch } = openMemoryStore({ clock, disk })
    expect(epoch).toBeGreaterThan(from.epoch)
    await copy(from, openMemoryStore({ clock, disk }))
    expect(openMemoryStore({ clock, disk }).epoch).toBe(epoch)
  })

  it('copies large events in batches that a store takes', async () => {
    await using from = memory()
    const large = 'x'.repeat(900_000)
    for (let version = 0; version < 20; version++) await mustAppend(from, 'machine-a', version, noted(large))
    await using to = memory()
    const watched = watchedStore(to)
    expect(await copy(from, watched)).toMatchObject({ events: 20, copied: 20 })
    expect(watched.calls.filter((name) => name === 'adopt').length).toBeGreaterThanOrEqual(5)
  })
})
