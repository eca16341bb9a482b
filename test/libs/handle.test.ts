import { beforeEach, describe, expect, it } from 'vitest'
import type { Cause } from '#contracts/message.ts'
import type { Decider, Refusal } from '#libs/decider.ts'
import { createHandler, type Handled, type HandlerOptions } from '#libs/handle.ts'
import type { EventStore } from '#libs/store/store.ts'
import { add, added, causeOf, close, counter, CounterEvent, something } from '../support/counter.ts'
import type { Counter, CounterCommand } from '../support/counter.ts'
import { createDice } from '../support/dice.ts'
import { memoryStore, watchedStore } from '../support/stores.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

const stream = 'counter-1'
let clock = createVirtualClock()
let store = watchedStore(memoryStore(clock))

const handlerOver = (over: EventStore, options: Partial<HandlerOptions<Counter, CounterCommand, CounterEvent>> = {}) =>
  createHandler({ store: over, clock, decider: counter, schema: CounterEvent, ...options })

const plain = (answer: unknown) => (answer as Handled<CounterEvent>).facts.map(({ type, data }) => ({ type, data }))
const storedIn = async (name: string) => (await store.read(name)).events.map(({ type, data }) => ({ type, data }))

beforeEach(() => {
  clock = createVirtualClock()
  store = watchedStore(memoryStore(clock))
})

describe('handling a command', () => {
  it('stores what is decided, with its cause, and answers where it stands', async () => {
    await store.append('other-1', 0, [something()], causeOf('before'))
    const answer = await handlerOver(store).handle(stream, add(25), causeOf('c1'))
    expect(answer).toMatchObject({ version: 3, position: 4 })
    expect(plain(answer)).toEqual([added(10), added(10), added(5)])
    const { events } = await store.read(stream)
    expect(events.map(({ meta }) => meta.version)).toEqual([1, 2, 3])
    expect(events[2]!.meta).toMatchObject({ ...causeOf('c1'), position: 4, stream })
  })

  it('answers a refusal and stores nothing', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, close, causeOf('c1'))
    expect(await handler.handle(stream, add(1), causeOf('c2'))).toMatchObject({ refused: 'MACHINE_REMOVED' })
    expect((await store.read(stream)).version).toBe(1)
  })

  it('answers with the last position when nothing has to change', async () => {
    const handler = handlerOver(store)
    expect(await handler.handle(stream, { type: 'SetTo', data: { value: 0 } }, causeOf('c0'))).toEqual({
      version: 0,
      position: 0,
      facts: [],
    })
    await handler.handle(stream, add(7), causeOf('c1'))
    expect(await handler.handle(stream, { type: 'SetTo', data: { value: 7 } }, causeOf('c2'))).toEqual({
      version: 1,
      position: 1,
      facts: [],
    })
  })

  it('strips from a fact what only the command had', async () => {
    const talkative = { type: 'Add', data: { amount: 1, password: 'secret' } } as CounterCommand
    await handlerOver(store).handle(stream, talkative, causeOf('c1'))
    expect(await storedIn(stream)).toEqual([added(1)])
  })

  it('stores nothing when a decider makes a fact that is none', async () => {
    const broken = { ...counter, decide: () => [{ type: 'Added', data: { amount: 'many' } }] }
    const handler = handlerOver(store, { decider: broken as unknown as typeof counter })
    await expect(handler.handle(stream, add(1), causeOf('c1'))).rejects.toThrow()
    expect((await store.read(stream)).version).toBe(0)
  })

  it('reads a stream once, and then works from memory', async () => {
    const handler = handlerOver(store)
    for (let n = 1; n <= 5; n++) await handler.handle(stream, add(1), causeOf(`c${n}`))
    expect(store.calls).toEqual(['read', 'append', 'append', 'append', 'append', 'append'])
  })

  it('forgets the streams that were not used lately when there are too many', async () => {
    const handler = handlerOver(store, { cacheStreamsMax: 4 })
    for (const [n, name] of ['a-1', 'b-1', 'a-1', 'c-1', 'a-1', 'b-1'].entries())
      await handler.handle(name, add(1), causeOf(`c${n}`))
    expect(store.calls.filter((call) => call === 'read')).toHaveLength(4)
    expect((await handler.load('b-1')).state.total).toBe(2)
  })

  it('loads the state behind what others have stored', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(1), causeOf('c1'))
    await store.append(stream, 1, [added(5)], causeOf('other'))
    expect(await handler.load(stream)).toEqual({ version: 2, state: { total: 6, closed: false } })
    expect(await handler.load('counter-2')).toEqual({ version: 0, state: counter.initial })
  })
})

describe('an event that cannot be understood', () => {
  it.each([
    ['of an unknown type', { type: 'Exploded', data: {} }, /counter-1: cannot read Exploded \(version 2\)/],
    ['of a wrong shape', { type: 'Added', data: { amount: 'x' } }, /counter-1: cannot read Added \(version 2\)/],
  ])('%s is a fault, not skipped', async (_, odd, message) => {
    await store.append(stream, 0, [added(1), odd], causeOf('newer version'))
    const handler = handlerOver(store)
    await expect(handler.handle(stream, add(1), causeOf('c1'))).rejects.toThrow(message)
    await expect(handler.load(stream)).rejects.toThrow(message)
    expect((await store.read(stream)).version).toBe(2)
  })

  it('that the decider does not fold is a fault as well', async () => {
    const forgetful: Decider<Counter, CounterCommand, CounterEvent> = {
      ...counter,
      evolve: (state, event) =>
        event.type === 'Closed' ? (undefined as unknown as Counter) : counter.evolve(state, event),
    }
    await store.append(stream, 0, [{ type: 'Closed', data: { reason: 'x' } }], causeOf('c0'))
    await expect(handlerOver(store, { decider: forgetful }).load(stream)).rejects.toThrow(/cannot fold Closed/)
  })
})

describe('a command id that comes again', () => {
  it('is answered with the facts it stored before, all of them and no others', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(1), causeOf('c0'))
    const first = (await handler.handle(stream, add(25), causeOf('c1'))) as Handled<CounterEvent>
    await handler.handle(stream, add(2), causeOf('c2'))
    const again = await handler.handle(stream, add(25), causeOf('c1'))
    expect(again).toEqual({ version: 5, position: 5, facts: first.facts })
    expect((await store.read(stream)).version).toBe(5)
  })

  it('is recognised by a handler that has never seen it', async () => {
    const first = (await handlerOver(store).handle(stream, add(25), causeOf('c1'))) as Handled<CounterEvent>
    expect(await handlerOver(store).handle(stream, add(25), causeOf('c1'))).toMatchObject({ facts: first.facts })
    expect((await store.read(stream)).version).toBe(3)
  })

  it('is recognised even where it would be refused by now', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(1), causeOf('c1'))
    await handler.handle(stream, close, causeOf('c2'))
    expect(plain(await handler.handle(stream, add(1), causeOf('c1')))).toEqual([added(1)])
  })

  it('is decided again when it is older than what is remembered', async () => {
    const handler = handlerOver(store, { commandIdsMax: 2 })
    for (const id of ['c1', 'c2', 'c3']) await handler.handle(stream, add(1), causeOf(id))
    expect(await handler.handle(stream, add(1), causeOf('c2'))).toMatchObject({ version: 3 })
    expect(await handler.handle(stream, add(1), causeOf('c1'))).toMatchObject({ version: 4 })
  })

  it('stores once when it comes twice at the same time', async () => {
    const handler = handlerOver(store)
    const answers = await Promise.all([1, 2].map(() => handler.handle(stream, add(25), causeOf('c1'))))
    expect(answers[1]).toEqual(answers[0])
    expect((await store.read(stream)).version).toBe(3)
  })

  it('is recognised after an append that failed although it was stored', async () => {
    const inner = memoryStore(clock)
    let fail = true
    const unlucky = watchedStore(inner, {
      async append(...args) {
        const answer = await inner.append(...args)
        if (fail) throw new Error('the connection was lost')
        return answer
      },
    })
    const handler = handlerOver(unlucky)
    await expect(handler.handle(stream, add(1), causeOf('c1'))).rejects.toThrow('connection')
    fail = false
    expect(await handler.handle(stream, add(1), causeOf('c1'))).toMatchObject({ version: 1 })
    expect((await inner.read(stream)).version).toBe(1)
  })
})

describe('a race with another writer', () => {
  it('is decided again on the newer facts, of which only those are read', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(90), causeOf('c1'))
    await store.append(stream, 9, [added(5)], causeOf('other'))
    store.calls.length = 0
    expect(await handler.handle(stream, add(5), causeOf('c2'))).toMatchObject({ version: 11 })
    expect(store.calls).toEqual(['append', 'read', 'append'])
  })

  it('can turn a yes into a refusal', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(90), causeOf('c1'))
    await store.append(stream, 9, [added(10)], causeOf('other'))
    expect(await handler.handle(stream, add(5), causeOf('c2'))).toMatchObject({ refused: 'DEPLOYMENTS_TOO_MANY' })
  })

  it('can turn a refusal from old knowledge into a yes', async () => {
    const handler = handlerOver(store)
    await handler.handle(stream, add(100), causeOf('c1'))
    await store.append(stream, 10, [added(-50)], causeOf('other'))
    expect(await handler.handle(stream, add(5), causeOf('c2'))).toMatchObject({ version: 12 })
  })

  it('recognises a command that the other writer has carried out', async () => {
    const [here, there] = [handlerOver(store), handlerOver(store)]
    await here.handle(stream, add(1), causeOf('c1'))
    await there.handle(stream, add(2), causeOf('c2'))
    expect(await here.handle(stream, add(2), causeOf('c2'))).toMatchObject({ version: 2 })
    expect((await store.read(stream)).version).toBe(2)
  })

  it('ends with a fault when it is lost again and again', async () => {
    const inner = memoryStore(clock)
    const busy = watchedStore(inner, { append: async () => 'conflict' })
    const handled = handlerOver(busy, { attemptsMax: 3 }).handle(stream, add(1), causeOf('c1'))
    const outcome = handled.catch((error: Error) => error.message)
    await clock.advance(10_000)
    expect(await outcome).toMatch(/counter-1: lost the race against other writers 3 times/)
    expect(busy.calls.filter((call) => call === 'append')).toHaveLength(3)
  })

  it('loses no fact of two handlers that write at once', async () => {
    const handlers = [handlerOver(store, { attemptsMax: 100 }), handlerOver(store, { attemptsMax: 100 })]
    const all = Promise.all(
      Array.from({ length: 40 }, (_, n) => handlers[n % 2]!.handle(stream, add(1), causeOf(`c${n}`))),
    )
    expect(await clock.run(() => false, 60_000)).toBe(false)
    await all
    const { events } = await store.read(stream)
    expect(events).toHaveLength(40)
    expect(new Set(events.map(({ meta }) => meta.commandId)).size).toBe(40)
  })
})

describe('commands for one stream', () => {
  const setTo = (value: number): CounterCommand => ({ type: 'SetTo', data: { value } })
  const essence = (answer: Handled<CounterEvent> | Refusal) =>
    'refused' in answer ? answer : { facts: plain(answer), versions: answer.facts.map(({ meta }) => meta.version) }

  it('are taken in the order they came, without losing a race', async () => {
    const handler = handlerOver(store)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => handler.handle(stream, add(1), causeOf(`c${n}`))),
    )
    expect(answers.map((answer) => (answer as Handled<CounterEvent>).version)).toEqual(answers.map((_, n) => n + 1))
    const { events } = await store.read(stream)
    expect(events.map(({ meta }) => meta.commandId)).toEqual(answers.map((_, n) => `c${n}`))
  })

  it('that wait for one commit share the next', async () => {
    const handler = handlerOver(store)
    await Promise.all(Array.from({ length: 50 }, (_, n) => handler.handle(stream, add(1), causeOf(`c${n}`))))
    expect(store.calls).toEqual(['read', 'append', 'append'])
  })

  it.each([1, 2, 3, 4, 5, 6])('get the same answers together as one by one (seed %i)', async (seed) => {
    const dice = createDice(seed)
    const pick = (count: number) => Math.floor(dice.chance() * count)
    const commands = Array.from({ length: 120 }, (_, n): [CounterCommand, Cause] => {
      const command = dice.chance() < 0.01 ? close : dice.chance() < 0.3 ? setTo(pick(90)) : add(1 + pick(25))
      return [command, causeOf(`c${dice.chance() < 0.2 ? pick(n) : n}`)]
    })
    const [together, oneByOne] = [handlerOver(store), handlerOver(store)]
    const expected: unknown[] = []
    for (const [command, cause] of commands) expected.push(essence(await oneByOne.handle('counter-2', command, cause)))
    const answers = await Promise.all(commands.map(([command, cause]) => together.handle('counter-1', command, cause)))
    expect(answers.map(essence)).toEqual(expected)
    expect(await storedIn('counter-1')).toEqual(await storedIn('counter-2'))
    expect(await handlerOver(store).load('counter-1')).toEqual(await together.load('counter-1'))
  })

  it('are not more together than one append can take', async () => {
    const handler = handlerOver(store, {
      decider: { ...counter, decide: () => Array.from({ length: 90 }, () => added(1)) },
    })
    await Promise.all(Array.from({ length: 30 }, (_, n) => handler.handle(stream, add(1), causeOf(`c${n}`))))
    expect((await store.read(stream)).version).toBe(2_700)
  })

  it('fail alone, whether the decider throws or the store cannot take the facts', async () => {
    const decide: typeof counter.decide = (command, state) => {
      if (command.type === 'Add' && command.data.amount === 2) throw new Error('a mistake')
      const facts = counter.decide(command, state)
      return command.type === 'Add' && command.data.amount === 3 ? Array.from({ length: 1_001 }, () => added(0)) : facts
    }
    const handler = handlerOver(store, { decider: { ...counter, decide } })
    const answers = await Promise.allSettled(
      [1, 1, 2, 1, 3, 1, 3, 1].map((amount, n) => handler.handle(stream, add(amount), causeOf(`c${n}`))),
    )
    expect(answers.map(({ status }) => status[0])).toEqual(['f', 'f', 'r', 'f', 'r', 'f', 'r', 'f'])
    expect((await store.read(stream)).events.map(({ meta }) => meta.commandId)).toEqual(['c0', 'c1', 'c3', 'c5', 'c7'])
  })

  it('are all seen by a load that they wait in front of; it may see those behind it as well', async () => {
    const handler = handlerOver(store)
    const [, , loaded] = await Promise.all([
      handler.handle(stream, add(1), causeOf('c1')),
      handler.handle(stream, add(2), causeOf('c2')),
      handler.load(stream),
      handler.handle(stream, add(4), causeOf('c3')),
    ])
    expect(loaded).toMatchObject({ version: 3, state: { total: 7 } })
  })

  it('do not wait for those of other streams', async () => {
    const inner = memoryStore(clock)
    const gate = Promise.withResolvers<void>()
    const slow = watchedStore(inner, {
      async append(name, ...rest) {
        if (name === stream) await gate.promise
        return inner.append(name, ...rest)
      },
    })
    const handler = handlerOver(slow)
    const waiting = handler.handle(stream, add(1), causeOf('c1'))
    expect(await handler.handle('counter-2', add(1), causeOf('c2'))).toMatchObject({ version: 1 })
    gate.resolve()
    expect(await waiting).toMatchObject({ version: 1 })
  })

  it('go on behind one that failed', async () => {
    const inner = memoryStore(clock)
    let reads = 0
    const flaky = watchedStore(inner, {
      read: (...args) => ((reads += 1) === 1 ? Promise.reject(new Error('down')) : inner.read(...args)),
    })
    const handler = handlerOver(flaky)
    const first = handler.handle(stream, add(1), causeOf('c1')).catch((error: Error) => error.message)
    const second = handler.handle(stream, add(2), causeOf('c2'))
    expect(await first).toBe('down')
    expect(await second).toMatchObject({ version: 1 })
  })

  it('are turned away when too many wait', async () => {
    const handler = handlerOver(store, { waitingMax: 3 })
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => handler.handle(stream, add(1), causeOf(`c${n}`))))
    expect(answers.filter((answer) => 'refused' in answer)).toEqual([
      { refused: 'TOO_MANY_REQUESTS', detail: expect.stringContaining(stream) },
      { refused: 'TOO_MANY_REQUESTS', detail: expect.stringContaining(stream) },
    ])
    expect(await handler.handle(stream, add(1), causeOf('c7'))).toMatchObject({ version: 5 })
  })
})

describe('snapshots', () => {
  const snapshot = { schema: 'counter.v1', everyEvents: 10 }
  const fill = async (options = {}) => {
    const handler = handlerOver(store, { snapshot, ...options })
    for (let n = 1; n <= 25; n++) await handler.handle(stream, add(1), causeOf(`c${n}`))
  }

  it('spare reading what came before', async () => {
    await fill()
    let readAfter = -1
    const inner = store
    const watched = watchedStore(inner, {
      read(name, afterVersion = 0) {
        readAfter = afterVersion
        return inner.read(name, afterVersion)
      },
    })
    expect(await handlerOver(watched, { snapshot }).load(stream)).toEqual({
      version: 25,
      state: { total: 25, closed: false },
    })
    expect(readAfter).toBe(20)
  })

  it('carry the command ids and the position', async () => {
    const handler = handlerOver(store, { snapshot })
    await handler.handle(stream, add(100), causeOf('all at once'))
    const again = (await handlerOver(store, { snapshot }).handle(
      stream,
      add(100),
      causeOf('all at once'),
    )) as Handled<CounterEvent>
    expect(again).toMatchObject({ version: 10, position: 10 })
    expect(again.facts).toHaveLength(10)
  })

  it('of another shape count as absent', async () => {
    await fill()
    const other = { schema: 'counter.v2', everyEvents: 10 }
    expect(await handlerOver(store, { snapshot: other }).load(stream)).toMatchObject({
      version: 25,
      state: { total: 25 },
    })
  })

  it('lead to the same state as none', async () => {
    await fill()
    const [withOne, without] = [handlerOver(store, { snapshot }), handlerOver(store)]
    expect(await withOne.load(stream)).toEqual(await without.load(stream))
  })

  it('that cannot be saved fail no command', async () => {
    const unsaved = watchedStore(store, { saveSnapshot: () => Promise.reject(new Error('disk full')) })
    const handler = handlerOver(unsaved, { snapshot: { schema: 'counter.v1', everyEvents: 1 } })
    expect(await handler.handle(stream, add(1), causeOf('c1'))).toMatchObject({ version: 1 })
  })
})
