import { beforeEach, describe, expect, it } from 'vitest'
import type { Recorded } from '#contracts/message.ts'
import { eventSubject } from '#contracts/subjects.ts'
import type { Bus } from '#libs/bus/bus.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { startConsumer, type ConsumerOptions } from '#libs/consume.ts'
import { silentLog } from '#libs/log.ts'
import { startRelay } from '#libs/relay.ts'
import { causeOf, something } from '../support/counter.ts'
import { createDice } from '../support/dice.ts'
import { faultyBus } from '../support/faultyBus.ts'
import { memoryStore, storeWithGaps, watchedStore } from '../support/stores.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

let clock = createVirtualClock()
let store = watchedStore(memoryStore(clock))
let bus: Bus = createMemoryBus({ clock, log: silentLog })
let batches: number[][] = []

beforeEach(() => {
  clock = createVirtualClock()
  store = watchedStore(memoryStore(clock))
  bus = createMemoryBus({ clock, log: silentLog })
  batches = []
})

const handled = () => batches.flat()
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, n) => from + n)
const note = (events: readonly Recorded[]) => void batches.push(events.map(({ meta }) => meta.position))
const consume = (options: Partial<ConsumerOptions> = {}) =>
  startConsumer({ name: 'test', store, bus, clock, log: silentLog, after: 0, handle: note, ...options })
const append = async (count: number, stream = 'machine-a') => {
  const { version } = await store.read(stream)
  const facts = Array.from({ length: count }, () => something())
  return (await store.append(stream, version, facts, causeOf('c'))) as readonly Recorded[]
}
const publish = (events: readonly Recorded[]) => {
  for (const event of events) bus.publish(eventSubject(event.meta.stream), event)
}
const storeReads = () => store.calls.filter((call) => call === 'readAll').length

describe('a consumer', () => {
  it('begins behind the position it is given', async () => {
    await append(5)
    await using consumer = consume({ after: 2 })
    await clock.settle()
    expect(handled()).toEqual([3, 4, 5])
    expect(consumer.position).toBe(5)
  })

  it('takes what the bus brings next in line, without reading the store', async () => {
    await using _ = consume()
    await clock.settle()
    const readsBefore = storeReads()
    publish(await append(3))
    await clock.settle()
    expect(handled()).toEqual([1, 2, 3])
    expect(batches).toHaveLength(1)
    expect(storeReads()).toBe(readsBefore)
  })

  it('ignores what is old or doubled, and does not read the store for it', async () => {
    await using _ = consume()
    await clock.settle()
    const readsBefore = storeReads()
    const events = await append(3)
    publish([...events, ...events])
    await clock.settle()
    publish(events)
    await clock.settle()
    expect(handled()).toEqual([1, 2, 3])
    expect(storeReads()).toBe(readsBefore)
  })

  it('ignores a batch that comes again while it is in hand', async () => {
    const gate = Promise.withResolvers<void>()
    await using _ = consume({
      async handle(events) {
        await gate.promise
        note(events)
      },
    })
    await clock.settle()
    const readsBefore = storeReads()
    const events = await append(3)
    publish(events)
    await clock.settle()
    publish([...events, ...(await append(1))])
    await clock.settle()
    gate.resolve()
    await clock.settle()
    expect(batches).toEqual([[1, 2, 3], [4]])
    expect(storeReads()).toBe(readsBefore)
  })

  it('reads from the store what the bus has lost, at once', async () => {
    await using _ = consume()
    await clock.settle()
    const events = await append(6)
    publish([events[0]!, events[3]!, events[5]!])
    await clock.settle()
    expect(handled()).toEqual(upTo(6))
  })

  it('looks into the store by itself when the bus is silent', async () => {
    await using _ = consume({ idleMs: 1_000 })
    await clock.settle()
    await append(2)
    await clock.advance(999)
    expect(handled()).toEqual([])
    await clock.advance(1)
    expect(handled()).toEqual([1, 2])
  })

  it('believes the store, not the bus', async () => {
    await using consumer = consume()
    const [real] = await append(1)
    publish([{ ...real!, meta: { ...real!.meta, position: 7 } }])
    bus.publish('remuda.events.machine.a', null)
    bus.publish('remuda.events.machine.a', { meta: { position: 'x' } })
    await clock.settle()
    expect(handled()).toEqual([1])
    publish(await append(1))
    await clock.settle()
    expect(handled()).toEqual([1, 2])
    expect(consumer.position).toBe(2)
  })

  it('hands over what has gathered while a batch was in hand, at most batchMax at once', async () => {
    const gate = Promise.withResolvers<void>()
    await using _ = consume({
      batchMax: 4,
      async handle(events) {
        note(events)
        await gate.promise
      },
    })
    publish(await append(1))
    await clock.settle()
    publish(await append(10))
    await clock.settle()
    gate.resolve()
    await clock.settle()
    expect(batches).toEqual([[1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11]])
  })

  it('drops its queue when it is full and reads from the store instead', async () => {
    const gate = Promise.withResolvers<void>()
    await using _ = consume({
      queueMax: 5,
      batchMax: 100,
      async handle(events) {
        note(events)
        if (events[0]!.meta.position === 1) await gate.promise
      },
    })
    await clock.settle()
    publish(await append(1))
    await clock.settle()
    // The last of them is the one too many, so nothing that comes later shows that something is missing.
    for (let n = 0; n < 6; n++) publish(await append(1))
    await clock.settle()
    const readsBefore = storeReads()
    gate.resolve()
    await clock.settle()
    expect(handled()).toEqual(upTo(7))
    expect(storeReads()).toBe(readsBefore + 1)
  })

  it('works through a long past in pages, and lets others have a turn between them', async () => {
    await append(10)
    await using _ = consume({ batchMax: 3 })
    let turns = 0
    const tick = () =>
      void clock.timer(0, () => {
        turns += 1
        if (handled().length < 10) tick()
      })
    tick()
    await clock.advance(10)
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10]])
    expect(turns).toBeGreaterThanOrEqual(3)
  })
})

describe('a consumer of a store whose positions have gaps', () => {
  const gap = 100
  beforeEach(() => void (store = storeWithGaps(memoryStore(clock), gap)))

  it('reads from the store what the bus tells of, once for each time, and then waits', async () => {
    await using consumer = consume({ idleMs: 1_000 })
    await clock.settle()
    const readsBefore = storeReads()
    publish(await append(3))
    await clock.settle()
    expect(handled()).toEqual([100, 200, 300])
    expect(storeReads()).toBe(readsBefore + 1)
    publish(await append(1))
    await clock.settle()
    expect(handled()).toEqual([100, 200, 300, 400])
    expect(storeReads()).toBe(readsBefore + 2)
    await clock.advance(900)
    expect([storeReads(), consumer.position]).toEqual([readsBefore + 2, 400])
  })

  it('does not ask again and again for what a node of the store has not got yet', async () => {
    await using _ = consume({ idleMs: 1_000 })
    const [event] = await append(1)
    await clock.settle()
    const readsBefore = storeReads()
    publish([{ ...event!, meta: { ...event!.meta, position: 700 } }])
    await clock.settle()
    // One brings what was missed before it, and one brings nothing.
    expect([storeReads(), handled()]).toEqual([readsBefore + 2, [100]])
    await clock.advance(999)
    expect(storeReads()).toBe(readsBefore + 2)
  })

  it.each([1, 2, 3])('handles every event once and in order, whatever the bus does (seed %i)', async (seed) => {
    const dice = createDice(seed)
    bus = faultyBus(bus, clock, { lose: 0.2, double: 0.2, delay: 0.4, delayMaxMs: 3_000 }, seed)
    await using relay = startRelay({ store, bus, clock, log: silentLog })
    await using consumer = consume({ batchMax: 7, queueMax: 9 })
    let appended = 0
    for (; appended < 100; appended += 2) {
      await append(2, `machine-${Math.floor(dice.chance() * 4)}`)
      await clock.advance(dice.chance() * 60)
    }
    expect(await clock.run(() => consumer.position === appended * gap, 60_000)).toBe(true)
    expect(handled()).toEqual(upTo(appended).map((position) => position * gap))
    expect(relay.position).toBe(appended * gap)
  })
})

describe('waiting for a position', () => {
  it('is true once it is handled, and at once when it was', async () => {
    await using consumer = consume()
    const reached = consumer.reached(2, 1_000)
    publish(await append(2))
    expect(await reached).toBe(true)
    expect(await consumer.reached(2, 0)).toBe(true)
  })

  it('is false when time runs out, and when the consumer is closed', async () => {
    const consumer = consume()
    const [short, long] = [consumer.reached(1, 500), consumer.reached(1, 60_000)]
    await clock.advance(500)
    expect(await short).toBe(false)
    await consumer[Symbol.asyncDispose]()
    expect(await long).toBe(false)
    expect(await consumer.reached(1, 60_000)).toBe(false)
    expect(clock.timers).toBe(0)
  })
})

describe('a consumer in trouble', () => {
  it('gives the handler the same events again when it throws, and then goes on', async () => {
    let failures = 2
    await using _ = consume({
      handle(events) {
        if (events.some(({ meta }) => meta.position === 2) && (failures -= 1) >= 0) throw new Error('not now')
        note(events)
      },
    })
    for (let n = 0; n < 3; n++) {
      publish(await append(1))
      await clock.settle()
    }
    await clock.advance(5_000)
    expect(handled()).toEqual([1, 2, 3])
  })

  it('gives up after so many failures, and says why', async () => {
    let calls = 0
    await using consumer = consume({
      failuresMax: 4,
      handle() {
        calls += 1
        throw new Error('never')
      },
    })
    await append(1)
    await clock.advance(120_000)
    expect(await consumer.failure).toMatchObject({ message: 'never' })
    expect(calls).toBe(4)
    expect(consumer.position).toBe(0)
    expect(clock.timers).toBe(0)
  })

  it('waits out a store that is away for a while', async () => {
    let isAway = true
    const inner = store
    const flaky = watchedStore(inner, {
      readAll: (...args) => (isAway ? Promise.reject(new Error('away')) : inner.readAll(...args)),
    })
    await append(3)
    await using _ = consume({ store: flaky })
    await clock.advance(2_000)
    isAway = false
    await clock.advance(10_000)
    expect(handled()).toEqual([1, 2, 3])
  })

  it('finishes the batch in hand when it is closed, and takes no other', async () => {
    const gate = Promise.withResolvers<void>()
    await append(4)
    const consumer = consume({
      batchMax: 2,
      async handle(events) {
        await gate.promise
        note(events)
      },
    })
    await clock.settle()
    const closed = consumer[Symbol.asyncDispose]()
    gate.resolve()
    await closed
    await clock.advance(10_000)
    expect(handled()).toEqual([1, 2])
  })

  it('does not wait for ever for a handler that hangs', async () => {
    await append(1)
    const consumer = consume({ graceMs: 2_000, handle: () => Promise.withResolvers<void>().promise })
    await clock.settle()
    let closed = false
    void consumer[Symbol.asyncDispose]().then(() => (closed = true))
    await clock.advance(1_999)
    expect(closed).toBe(false)
    await clock.advance(1)
    expect(closed).toBe(true)
  })
})

describe('over a bus that loses, doubles, delays and reorders', () => {
  const faults = { lose: 0.2, double: 0.2, delay: 0.4, delayMaxMs: 3_000 }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('a consumer handles every event once and in order (seed %i)', async (seed) => {
    const dice = createDice(seed)
    bus = faultyBus(bus, clock, faults, seed)
    await using relay = startRelay({ store, bus, clock, log: silentLog })
    await using consumer = consume({
      batchMax: 7,
      queueMax: 9,
      async handle(events) {
        if (dice.chance() < 0.05) throw new Error('bad luck')
        await clock.sleep(dice.chance() * 40)
        note(events)
      },
    })
    let appended = 0
    while (appended < 300) {
      const count = 1 + Math.floor(dice.chance() * 5)
      await append(count, `machine-${Math.floor(dice.chance() * 4)}`)
      appended += count
      await clock.advance(dice.chance() * 60)
    }
    expect(await clock.run(() => consumer.position === appended, 60_000)).toBe(true)
    await clock.advance(10_000)
    expect(handled()).toEqual(upTo(appended))
    expect(relay.position).toBe(appended)
  })

  it('even when the bus is dead', async () => {
    bus = faultyBus(bus, clock, { lose: 1 }, 1)
    await using _ = startRelay({ store, bus, clock, log: silentLog })
    await using consumer = consume()
    await append(50)
    const reached = consumer.reached(50, 5_000)
    await clock.advance(2_000)
    expect(await reached).toBe(true)
    expect(handled()).toEqual(upTo(50))
  })
})
