import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKurrentStore } from '#libs/store/kurrentdb.ts'
import type { KurrentOptions } from '#libs/store/kurrentdb/engine.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { freshPrefix } from '#test/support/kurrentHome.ts'
import { KurrentServer } from '#test/support/kurrentServer.ts'
import { everythingIn, firstOf, messageOf, mustAppend, noted, someCause } from '#test/support/store.ts'

let server: KurrentServer
let prefix: string
beforeEach(async () => {
  server = await KurrentServer.start()
  prefix = freshPrefix()
})
afterEach(() => server[Symbol.asyncDispose]())

const open = (options: Partial<KurrentOptions> = {}) => openKurrentStore({ url: server.url(prefix), clock, ...options })

describe('an append whose answer does not come', () => {
  it.each([
    ['is not sent', () => void (server.faults.appendsUnanswered = 2)],
    ['is that of a server that timed out', () => void (server.faults.appendsTimedOut = 2)],
  ])('is sent again and stored once, when the answer %s', async (_what, disturb) => {
    await using store = await open({ answerMs: 200 })
    await mustAppend(store, 'machine-a', 0, noted(1))
    disturb()
    const appended = await mustAppend(store, 'machine-a', 1, noted(2), noted(3))
    expect(appended.map(({ data, meta }) => [data, meta.version])).toEqual([
      [{ note: 2 }, 2],
      [{ note: 3 }, 3],
    ])
    const one = await mustAppend(store, 'machine-b', 0, noted(4))
    expect((await everythingIn(store)).slice(1)).toEqual([...appended, ...one])
  })

  it('is not taken for the one of somebody else who was first', async () => {
    await using store = await open({ answerMs: 200 })
    await using other = await open()
    await mustAppend(other, 'machine-a', 0, noted('first'))
    server.faults.appendsUnanswered = 1
    expect(await store.append('machine-a', 0, [noted('late')], someCause)).toBe('conflict')
    expect((await everythingIn(store)).map(({ data }) => data)).toEqual([{ note: 'first' }])
  })

  it('fails when patience ends, leaves open whether it is stored, and is found when it is asked for again', async () => {
    await using store = await open({ answerMs: 300, patienceMs: 1_500 })
    server.faults.appendsUnanswered = 1_000
    expect(await messageOf(() => store.append('machine-a', 0, [noted(1)], someCause))).toMatch(
      /^StoreFault: .*not known whether this was stored. Send the same command again/,
    )
    server.faults.appendsUnanswered = 0
    expect(await store.append('machine-a', 0, [noted(1)], someCause)).toBe('conflict')
    expect((await store.read('machine-a')).events.map(({ meta }) => meta.commandId)).toEqual([someCause.commandId])
  })

  it('holds up nobody who appends to another stream meanwhile', async () => {
    await using store = await open({ answerMs: 3_000 })
    server.faults.appendsUnanswered = 1
    const stuck = mustAppend(store, 'machine-a', 0, noted(1))
    await expect.poll(() => server.faults.appendsUnanswered).toBe(0)
    const beganMs = performance.now()
    await mustAppend(store, 'machine-b', 0, noted(2))
    expect(performance.now() - beganMs).toBeLessThan(2_500)
    expect(await stuck).toHaveLength(1)
  })
})

describe('a server that is away', () => {
  it('for a moment is waited for, by appends and reads, and nothing is stored twice', async () => {
    await using store = await open()
    await mustAppend(store, 'machine-a', 0, noted(1))
    server.stop()
    const appended = Promise.all([
      mustAppend(store, 'machine-a', 1, noted(2)),
      ...Array.from({ length: 40 }, (_, number) => mustAppend(store, `machine-${number}`, 0, noted(number))),
    ])
    const read = store.read('machine-a', 1)
    await pause(200)
    await server.start()
    expect((await appended).flat()).toHaveLength(41)
    expect((await read).version).toBeGreaterThanOrEqual(1)
    expect(await store.verify()).toEqual({ events: 42, streams: 41, problems: [] })
  })

  it('for longer is a fault, with the same words for appends and reads, and a next step', async () => {
    await using store = await open({ patienceMs: 100 })
    server.stop()
    const nextStep = /^StoreFault: KurrentDB failed while .*can not be reached. Check that KurrentDB is running/
    // The first append finds the broken connection, where it may have got lost; those after it find none.
    await messageOf(() => store.append('machine-a', 0, [noted(1)], someCause))
    expect(await messageOf(() => store.append('machine-a', 0, [noted(1)], someCause))).toMatch(nextStep)
    expect(await messageOf(() => store.read('machine-a'))).toMatch(nextStep)
    expect(await messageOf(() => store.saveCheckpoint('relay', 1))).toMatch(nextStep)
    await server.start()
    await mustAppend(store, 'machine-a', 0, noted(1))
  })

  it('or is not ready yet, is waited for when the store is opened', async () => {
    server.faults.isUnavailable = true
    const opened = open()
    await pause(100)
    server.faults.isUnavailable = false
    await using store = await opened
    expect(await store.head()).toBe(0)
  })
})

describe('a node that is not the leader', () => {
  it('names the leader, which is used from then on', async () => {
    await using leader = await KurrentServer.start(server.log)
    await using store = await open()
    await mustAppend(store, 'machine-a', 0, noted(1))
    server.faults.leader = { host: '127.0.0.1', port: leader.port }
    await mustAppend(store, 'machine-a', 1, noted(2))
    const callsBefore = server.calls.length
    expect((await store.read('machine-a')).version).toBe(2)
    await store.read('machine-a')
    expect(leader.calls.length).toBeGreaterThan(0)
    expect(server.calls.length).toBeLessThanOrEqual(callsBefore + 1)
  })
})

describe('many who append at once', () => {
  it('lose no promise when the connection breaks under them', async () => {
    const lost: unknown[] = []
    const note = (error: unknown) => void lost.push(error)
    process.on('unhandledRejection', note)
    await using store = await open()
    const big = 'x'.repeat(100_000)
    const appends = Array.from({ length: 100 }, (_, number) =>
      mustAppend(store, `machine-${number}`, 0, noted(big), noted(number)),
    )
    await pause(5)
    server.stop()
    await pause(100)
    await server.start()
    expect((await Promise.all(appends)).flat()).toHaveLength(200)
    process.off('unhandledRejection', note)
    expect(lost).toEqual([])
    expect((await firstOf(store, 0, 200)).length).toBe(200)
  })
})
