import { beforeEach, describe, expect, it } from 'vitest'
import type { Cause, Message } from '#contracts/message.ts'
import { answerCommands, createAsk, type Ask } from '#libs/ask.ts'
import { BusFault, type Bus } from '#libs/bus/bus.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { createHandler } from '#libs/handle.ts'
import { isRefusal } from '#libs/decider.ts'
import { silentLog } from '#libs/log.ts'
import { startReactor, type Reactor, type ReactorOptions } from '#libs/reactor.ts'
import { startRelay } from '#libs/relay.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import { createMemoryDisk } from '#libs/store/memoryDisk.ts'
import { collectingLog } from '../support/collectingLog.ts'
import { add, added, causeOf, counter, CounterCommand, CounterEvent, something } from '../support/counter.ts'
import { createDice, type Dice } from '../support/dice.ts'
import { faultyBus } from '../support/faultyBus.ts'
import { createMortal } from '../support/mortal.ts'
import { watchedStore } from '../support/stores.ts'
import { createVirtualClock } from '../support/virtualClock.ts'

type Known = { readonly seen: Record<string, number> }

/** Wishes that what is added to a source is added to its sum as well. */
const copying: Reactor<Known, CounterEvent> = {
  name: 'copying.v1',
  observes: ['Added'],
  initial: { seen: {} },
  evolve({ seen }, { meta }) {
    return { seen: { ...seen, [meta.stream]: (seen[meta.stream] ?? 0) + 1 } }
  },
  react(_, fact) {
    if (fact.type !== 'Added' || !fact.meta.stream.startsWith('source-')) return []
    const request = { service: 'registry' as const, type: 'Add', data: { amount: fact.data.amount } }
    return fact.data.amount > 5 ? [request, request] : [request]
  },
}

let clock = createVirtualClock()
let disk = createMemoryDisk()
let store = openMemoryStore({ clock, disk })
let bus: Bus = createMemoryBus({ clock, log: silentLog })
let asked: { command: Message; cause: Cause }[] = []

beforeEach(() => {
  clock = createVirtualClock()
  disk = createMemoryDisk()
  store = openMemoryStore({ clock, disk })
  bus = createMemoryBus({ clock, log: silentLog })
  asked = []
})

const note: Ask = async (_, command, cause) => {
  asked.push({ command, cause })
  return { accepted: true, position: 0, result: {} }
}
const react = (options: Partial<ReactorOptions<Known, CounterEvent>> = {}) =>
  startReactor({ reactor: copying, store, bus, clock, log: silentLog, ask: note, ...options })
const relay = () => startRelay({ store, bus, clock, log: silentLog })
const append = async (stream: string, ...facts: readonly Message[]) => {
  const { version } = await store.read(stream)
  await store.append(stream, version, facts, causeOf(`command at ${stream} ${version}`))
}
const amounts = () => asked.map(({ command }) => (command.data as { amount: number }).amount)
const amountOf = (command: Message) => (command.data as { amount: number }).amount

describe('a reactor', () => {
  it('sends what follows from each fact, with ids and causes derived from it', async () => {
    await using _ = relay()
    await using __ = react()
    await append('source-a', added(7))
    await clock.settle()
    const [event] = await store.readAll(0, 1)
    const cause = (index: number) => ({
      actor: 'service:copying.v1',
      commandId: `copying.v1:${event!.meta.id}:${index}`,
      correlationId: 'correlation of command at source-a 0',
      causationId: event!.meta.id,
    })
    expect(asked).toEqual(
      [0, 1].map((index) => ({ command: { type: 'Add', data: { amount: 7 } }, cause: cause(index) })),
    )
  })

  it('passes over what it does not observe', async () => {
    await append('source-a', something(), added(1), something())
    await using run = react()
    await clock.settle()
    expect(amounts()).toEqual([1])
    expect(run.known).toEqual({ seen: { 'source-a': 1 } })
    expect(run.position).toBe(3)
  })

  it('knows the fact that it reacts to', async () => {
    const known: Known[] = []
    const curious: typeof copying = {
      ...copying,
      react(now) {
        known.push(now)
        return []
      },
    }
    await append('source-a', added(1), added(2))
    await using _ = react({ reactor: curious })
    await clock.settle()
    expect(known).toEqual([{ seen: { 'source-a': 1 } }, { seen: { 'source-a': 2 } }])
  })

  it('may change what it knows in place, since the next run starts from a clean copy', async () => {
    const lists: Reactor<{ streams: string[] }, CounterEvent> = {
      name: 'lists.v1',
      observes: ['Added'],
      initial: { streams: [] },
      react: () => [],
      evolve(known, { meta }) {
        known.streams.push(meta.stream)
        return known
      },
    }
    await append('source-a', added(1))
    for (let run = 0; run < 2; run++) {
      await using running = startReactor({ reactor: lists, store, bus, clock, log: silentLog, ask: note })
      await clock.settle()
      expect(running.known.streams).toEqual(['source-a'])
    }
    expect(lists.initial.streams).toEqual([])
  })

  it('takes a refusal for an answer', async () => {
    const log = collectingLog()
    await append('source-a', added(1))
    await using run = react({ log, ask: async () => ({ refused: 'MACHINE_UNKNOWN', detail: 'who' }) })
    await clock.settle()
    expect(run.position).toBe(1)
    expect(log.linesOf('debug')).toEqual(['a reaction was refused'])
    expect(await store.listParked()).toEqual([])
  })

  it('sends for one stream in order, and for different streams side by side', async () => {
    const gates = new Map<number, PromiseWithResolvers<void>>()
    const slow: Ask = async (service, command, cause) => {
      const gate = Promise.withResolvers<void>()
      gates.set(amountOf(command), gate)
      await gate.promise
      return note(service, command, cause)
    }
    await append('source-a', added(1), added(2))
    await append('source-b', added(3))
    await using run = react({ ask: slow })
    await clock.settle()
    expect([...gates.keys()]).toEqual([1, 3])
    gates.get(3)!.resolve()
    await clock.settle()
    expect(run.position).toBe(0)
    gates.get(1)!.resolve()
    await clock.settle()
    expect([...gates.keys()]).toEqual([1, 3, 2])
    gates.get(2)!.resolve()
    await clock.settle()
    expect(amounts()).toEqual([3, 1, 2])
    expect(run.position).toBe(3)
  })

  it('has a limited number of events under way', async () => {
    let underWay = 0
    let most = 0
    const slow: Ask = async (...args) => {
      most = Math.max(most, (underWay += 1))
      await clock.sleep(10)
      underWay -= 1
      return note(...args)
    }
    for (let n = 0; n < 600; n++) await append(`source-${n}`, added(1))
    await using run = react({ ask: slow })
    const reached = run.reached(600, 10_000)
    await clock.advance(1_000)
    expect(await reached).toBe(true)
    expect(asked).toHaveLength(600)
    expect(most).toBe(256)
  })
})

describe('starting again', () => {
  it('learns everything and reacts only to what is new', async () => {
    await append('source-a', added(1), added(2))
    const first = react()
    await clock.settle()
    await first[Symbol.asyncDispose]()
    await append('source-a', added(3))
    await using second = react()
    await clock.settle()
    expect(amounts()).toEqual([1, 2, 3])
    expect(second.known).toEqual({ seen: { 'source-a': 3 } })
  })

  it('leaves to the next run what got no answer', async () => {
    await append('source-a', added(1))
    await append('source-b', added(2))
    const ask: Ask = async (service, command, cause) => {
      if (amountOf(command) === 1) throw new BusFault('timeout', 'no answer')
      return note(service, command, cause)
    }
    const first = react({ ask })
    await clock.advance(100)
    const closed = first[Symbol.asyncDispose]()
    await clock.advance(5_000)
    await closed
    expect(amounts()).toEqual([2])
    await using _ = react()
    await clock.settle()
    expect(amounts()).toEqual([2, 1, 2])
    expect(asked[2]!.cause).toEqual(asked[0]!.cause)
  })

  it('repeats what was sent just before a crash, under the same ids', async () => {
    await append('source-a', added(1), added(2))
    const life = createMortal(clock)
    react({ store: life.store(store), bus: life.bus(bus), clock: life.clock })
    await clock.settle()
    life.kill()
    const repeated = asked.splice(0)
    expect(repeated).toHaveLength(2)
    await using _ = react()
    await clock.settle()
    expect(asked).toEqual(repeated)
  })

  it('saves the checkpoint a moment later by itself', async () => {
    await append('source-a', added(1))
    await using _ = react()
    await clock.advance(1_000)
    expect(await store.loadCheckpoint('copying.v1')).toBe(1)
  })
})

describe('a request that fails', () => {
  const failing = (fault: () => Error, times = Infinity): Ask => {
    let failures = 0
    return async (service, command, cause) => {
      if (amountOf(command) === 2 && (failures += 1) <= times) throw fault()
      return note(service, command, cause)
    }
  }
  const broken = () => new BusFault('failed', 'the handler broke')

  it('is sent again, a little later each time', async () => {
    await append('source-a', added(2))
    await using run = react({ ask: failing(broken, 3) })
    expect(await clock.run(() => run.position === 1, 60_000)).toBe(true)
    expect(amounts()).toEqual([2])
    expect(await store.listParked()).toEqual([])
  })

  it('has its event parked after so many tries, and the others go on, of the same stream too', async () => {
    await append('source-a', added(1), added(2), added(3))
    await append('source-b', added(4))
    await using run = react({ ask: failing(broken) })
    await clock.settle()
    expect(amounts()).toEqual([1, 4])
    await clock.advance(60_000)
    expect(amounts()).toEqual([1, 4, 3])
    expect(await store.listParked()).toEqual([
      {
        reactor: 'copying.v1',
        position: 2,
        stream: 'source-a',
        type: 'Added',
        reason: 'the handler broke',
        attempts: 5,
        parkedAt: expect.any(Number),
      },
    ])
    expect(run.position).toBe(4)
    expect(await store.loadCheckpoint('copying.v1')).toBe(4)
  })

  it('is tried for longer when the service is merely not there', async () => {
    let isThere = false
    const ask: Ask = async (...args) => {
      if (!isThere) throw new BusFault('no-responders', 'nobody')
      return note(...args)
    }
    await append('source-a', added(1))
    await using _ = react({ ask })
    await clock.advance(90_000)
    expect(await store.listParked()).toEqual([])
    isThere = true
    await clock.advance(10_000)
    expect(amounts()).toEqual([1])
  })

  it('is given up at the deadline, even so', async () => {
    await append('source-a', added(1))
    await using _ = react({ ask: () => Promise.reject(new BusFault('no-responders', 'nobody')) })
    await clock.advance(121_000)
    expect(await store.listParked()).toMatchObject([{ position: 1, reason: 'nobody' }])
  })

  it('keeps the checkpoint back while its event cannot be parked, and says that it gave up', async () => {
    const full = watchedStore(store, { park: () => Promise.reject(new Error('disk full')) })
    await append('source-a', added(2), added(1))
    await using run = react({ store: full, ask: failing(broken) })
    await clock.advance(120_000)
    expect(run.position).toBe(0)
    expect(await run.failure).toMatchObject({ message: 'disk full' })
  })
})

describe('a reactor that throws', () => {
  it.each(['evolve', 'react'] as const)('in %s has the event parked at once, and goes on', async (part) => {
    const clumsy: typeof copying = {
      ...copying,
      [part](known: Known, fact: { data: { amount: number } }) {
        if (fact.data.amount === 2) throw new Error('I did not expect that')
        return copying[part](known, fact as never)
      },
    }
    await append('source-a', added(1), added(2), added(3))
    await using run = react({ reactor: clumsy })
    await clock.settle()
    expect(amounts()).toEqual([1, 3])
    expect(await store.listParked()).toMatchObject([{ position: 2, reason: 'I did not expect that', attempts: 1 }])
    expect(run.position).toBe(3)
  })
})

describe('a parked event', () => {
  const parkSecond = async () => {
    await append('source-a', added(1), added(2))
    let isBroken = true
    const ask: Ask = async (service, command, cause) => {
      if (isBroken && amountOf(command) === 2) throw new BusFault('failed', 'the handler broke')
      return note(service, command, cause)
    }
    const run = react({ ask })
    await clock.advance(60_000)
    return { run, mend: () => (isBroken = false) }
  }

  it('can be tried again, and is parked no more when it is answered', async () => {
    const { run, mend } = await parkSecond()
    mend()
    expect(await run.retryParked(2)).toBe(true)
    expect(amounts()).toEqual([1, 2])
    expect(asked[1]!.cause.commandId).toMatch(/^copying\.v1:.*:0$/)
    expect(await store.listParked()).toEqual([])
    await run[Symbol.asyncDispose]()
  })

  it('stays parked when it fails again, and counts its tries', async () => {
    const { run } = await parkSecond()
    expect(await run.retryParked(2)).toBe(false)
    expect(await store.listParked()).toMatchObject([{ position: 2, attempts: 6 }])
    await run[Symbol.asyncDispose]()
  })

  it('must be one that this reactor has parked', async () => {
    const { run } = await parkSecond()
    await expect(run.retryParked(1)).rejects.toThrow('copying.v1 has parked nothing at position 1')
    await run[Symbol.asyncDispose]()
  })
})

describe('over a bus that loses requests and answers', () => {
  /** A service that carries requests out, and now and then breaks. */
  const answerWith = (sum: ReturnType<typeof openSum>, dice: Dice, busWithoutFaults: Bus) => {
    const handle = async (command: CounterCommand, cause: Cause) => {
      if (dice.chance() < 0.1) throw new Error('the handler broke')
      const handled = await sum.handle('sum-all', command, cause)
      if (isRefusal(handled)) return handled
      return { accepted: true as const, position: handled.position, result: {} }
    }
    answerCommands(busWithoutFaults, 'registry', { Add: handle, SetTo: handle, Close: handle }, CounterCommand)
  }
  const openSum = () => createHandler({ store, clock, decider: { ...counter, decide: noLimit }, schema: CounterEvent })

  it.each([1, 2, 3, 4, 5, 6])('every reaction is carried out once, through crashes as well (seed %i)', async (seed) => {
    const dice = createDice(seed)
    const whole = bus
    bus = faultyBus(whole, clock, { lose: 0.1, double: 0.1, delay: 0.2, loseRequest: 0.1, loseAnswer: 0.2 }, seed)
    await using _ = relay()
    answerWith(openSum(), dice, whole)

    const delivery = { attemptsMax: 50, deadlineMs: 600_000, baseMs: 10, delayMaxMs: 100 }
    const start = () => {
      const life = createMortal(clock)
      const ports = { store: life.store(store), bus: life.bus(bus), clock: life.clock }
      return { life, run: react({ ...ports, ask: createAsk(ports.bus, { timeoutMs: 1_000 }), delivery }) }
    }
    let { life, run } = start()
    let wanted = 0
    let crashes = 0
    for (let n = 0; n < 150; n++) {
      const amount = 1 + Math.floor(dice.chance() * 9)
      wanted += amount > 5 ? 2 * amount : amount
      await append(`source-${n % 7}`, added(amount))
      await clock.advance(dice.chance() * 60)
      if (dice.chance() > 0.06) continue
      crashes += 1
      life.kill()
      ;({ life, run } = start())
    }
    const head = await store.head()
    expect(await clock.run(() => run.position >= head, 600_000)).toBe(true)
    expect(crashes).toBeGreaterThan(2)
    expect(await store.listParked()).toEqual([])
    const { events } = await store.read('sum-all')
    expect(events.reduce((sum, { data }) => sum + (data as { amount: number }).amount, 0)).toBe(wanted)
    expect(new Set(events.map(({ meta }) => meta.commandId)).size).toBe(events.length)
    await run[Symbol.asyncDispose]()
  })
})

const noLimit: typeof counter.decide = (command) =>
  command.type === 'Add' ? [added(command.data.amount)] : counter.decide(add(1), counter.initial)
