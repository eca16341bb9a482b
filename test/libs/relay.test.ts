import { beforeEach, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import type { BusMessage } from '#libs/bus/bus.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { startRelay } from '#libs/relay.ts'
import { causeOf, something } from '../support/counter.ts'
import { createMortal } from '../support/mortal.ts'
import { memoryStore, watchedStore } from '../support/stores.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

let clock = createVirtualClock()
let store = memoryStore(clock)
let bus = createMemoryBus({ clock, log: silentLog })
let messages: BusMessage[] = []

beforeEach(() => {
  clock = createVirtualClock()
  store = memoryStore(clock)
  bus = createMemoryBus({ clock, log: silentLog })
  messages = []
  bus.subscribe('remuda.events.>', (message) => void messages.push(message))
})

const append = (stream: string, version: number, count = 1) =>
  store.append(
    stream,
    version,
    Array.from({ length: count }, () => something()),
    causeOf('c'),
  )
const positions = () => messages.map(({ payload }) => (payload as Recorded).meta.position)

describe('the relay', () => {
  it('publishes what is stored already and what comes, in order, each on the subject of its stream', async () => {
    await append('machine-a.b', 0, 2)
    await using relay = startRelay({ store, bus, clock, log: silentLog })
    await clock.settle()
    await append('health-x', 0)
    await clock.settle()
    expect(messages.map(({ subject }) => subject)).toEqual([
      'remuda.events.machine.a_b',
      'remuda.events.machine.a_b',
      'remuda.events.health.x',
    ])
    expect(positions()).toEqual([1, 2, 3])
    expect(messages[2]!.payload).toEqual((await store.readAll(2, 1))[0])
    expect(relay.position).toBe(3)
  })

  it('goes on where the last one stopped', async () => {
    await append('machine-a', 0, 3)
    const first = startRelay({ store, bus, clock, log: silentLog })
    await clock.settle()
    await first[Symbol.asyncDispose]()
    expect(await first.ended).toBeNull()
    await append('machine-a', 3)
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await clock.settle()
    expect(positions()).toEqual([1, 2, 3, 4])
  })

  it('repeats a little after a crash, and leaves nothing out', async () => {
    const life = createMortal(clock)
    startRelay({ store: life.store(store), bus, clock: life.clock, log: silentLog, checkpointMs: 1_000 })
    for (let version = 0; version < 5; version++) {
      await clock.advance(400)
      await append('machine-a', version)
    }
    await clock.settle()
    life.kill()
    messages.length = 0
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await append('machine-a', 5)
    await clock.settle()
    const repeated = [...new Set(positions())]
    expect(repeated.at(-1)).toBe(6)
    expect(repeated[0]).toBeGreaterThan(1)
    expect(repeated).toEqual(repeated.map((_, n) => repeated[0]! + n))
  })

  it('tries again when the store fails, and skips nothing', async () => {
    let failures = 3
    const flaky = watchedStore(store, {
      follow(after, signal) {
        if ((failures -= 1) >= 0) throw new Error('the store is away')
        return store.follow(after, signal)
      },
    })
    await using relay = startRelay({ store: flaky, bus, clock, log: silentLog })
    await append('machine-a', 0, 4)
    await clock.run(() => relay.position === 4, 60_000)
    expect(positions()).toEqual([1, 2, 3, 4])
  })

  it('bears any number of failures as long as there are pages between them', async () => {
    const inner = store
    const flaky = watchedStore(inner, {
      async *follow(after, signal) {
        for await (const page of inner.follow(after, signal)) {
          yield page.slice(0, 1)
          throw new Error('the store was away')
        }
      },
    })
    await append('machine-a', 0, 10)
    await using relay = startRelay({ store: flaky, bus, clock, log: silentLog, failuresMax: 3 })
    await clock.run(() => relay.position === 10, 60_000)
    expect(positions()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('ends with the fault when the store stays away', async () => {
    const dead = watchedStore(store, {
      follow: () => {
        throw new Error('the store is gone')
      },
    })
    await using relay = startRelay({ store: dead, bus, clock, log: silentLog, failuresMax: 4 })
    await clock.advance(60_000)
    expect(await relay.ended).toMatchObject({ message: 'the store is gone' })
    expect(clock.timers).toBe(0)
  })
})
