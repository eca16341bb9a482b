import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { openKurrentStore } from '#libs/store/kurrentdb.ts'
import type { KurrentOptions } from '#libs/store/kurrentdb/engine.ts'
import type { EventStore } from '#libs/store/store.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { freshPrefix } from '#test/support/kurrentHome.ts'
import { KurrentServer } from '#test/support/kurrentServer.ts'
import { everythingIn, messageOf, mustAppend, noted } from '#test/support/store.ts'

let server: KurrentServer
let prefix: string
beforeEach(async () => {
  server = await KurrentServer.start()
  prefix = freshPrefix()
})
afterEach(() => server[Symbol.asyncDispose]())

const open = (options: Partial<KurrentOptions> = {}) => openKurrentStore({ url: server.url(prefix), clock, ...options })

describe('who follows a KurrentDB store', () => {
  it('misses nothing and sees nothing twice when connections break in the middle', async () => {
    await using store = await open()
    const load = startLoad(store)
    for (let time = 1; time <= 3; time++) {
      await load.reached(40 * time)
      server.stop()
      await pause(50)
      await server.start()
    }
    await load.reached(load.acknowledged.length + 40)
    await load.end()
    const stored = await everythingIn(store)
    expect(load.followed).toEqual(stored)
    expect(new Set(load.acknowledged.map(({ meta }) => meta.id))).toEqual(new Set(stored.map(({ meta }) => meta.id)))
  })

  it('is told of what another process appends at once, and without asking the server again', async () => {
    await using store = await open({ pollMs: 60_000 })
    await using other = await open()
    const followed: Recorded[] = []
    const stop = new AbortController()
    const follower = (async () => {
      for await (const page of store.follow(0, stop.signal)) followed.push(...page)
    })()
    const appended = [...(await mustAppend(other, 'machine-a', 0, noted(1)))]
    await expect.poll(() => followed).toEqual(appended)
    const readsBefore = server.calls.filter((call) => call === 'read').length
    appended.push(...(await mustAppend(other, 'machine-a', 1, noted(2))))
    await expect.poll(() => followed).toEqual(appended)
    expect(await store.readAll(appended[0]!.meta.position, 10)).toEqual(appended.slice(1))
    expect(server.calls.filter((call) => call === 'read').length).toBe(readsBefore)
    stop.abort()
    await follower
  })

  it('spares appends of several events the read that would tell where they are', async () => {
    await using store = await open({ pollMs: 60_000 })
    const stop = new AbortController()
    const follower = (async () => {
      for await (const _ of store.follow(0, stop.signal));
    })()
    await mustAppend(store, 'machine-a', 0, noted(1))
    await expect.poll(() => server.calls).toContain('subscribe')
    const reads = () => server.calls.filter((call) => call === 'read').length
    await expect
      .poll(async () => {
        const readsBefore = reads()
        await mustAppend(store, `machine-${readsBefore}`, 0, noted(1), noted(2))
        return reads() - readsBefore
      })
      .toBe(0)
    stop.abort()
    await follower
  })

  it('is told when the log ends before what was seen of it', async () => {
    await using store = await open()
    await mustAppend(store, 'machine-a', 0, noted(1))
    const stop = new AbortController()
    const pages = store.follow(0, stop.signal)[Symbol.asyncIterator]()
    await pages.next()
    const { port } = server
    server.stop()
    await using restored = await KurrentServer.start(undefined, port)
    expect(restored.port).toBe(port)
    expect(await messageOf(() => pages.next())).toMatch(
      /StoreFault: The log of KurrentDB ends at position 0.*\?restored=/,
    )
  })
})

/** Four callers that append one event after another, each to its stream, and a follower. */
function startLoad(store: EventStore) {
  const acknowledged: Recorded[] = []
  const followed: Recorded[] = []
  const stop = new AbortController()
  let going = true
  const callers = Array.from({ length: 4 }, async (_, caller) => {
    for (let version = 0; going; version++)
      acknowledged.push(...(await mustAppend(store, `machine-${caller}`, version, noted(version))))
  })
  const follower = (async () => {
    for await (const page of store.follow(0, stop.signal)) followed.push(...page)
  })()
  const soon = { timeout: 10_000, interval: 10 }
  return {
    acknowledged,
    followed,
    reached: (count: number) => expect.poll(() => acknowledged.length, soon).toBeGreaterThan(count),
    async end() {
      going = false
      await Promise.all(callers)
      await expect.poll(() => followed.length, soon).toBeGreaterThanOrEqual(acknowledged.length)
      stop.abort()
      await follower
    },
  }
}
