import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Bus } from '#libs/bus/bus.ts'
import { openNatsBus } from '#libs/bus/nats.ts'
import type { NatsBusOptions } from '#libs/bus/nats/options.ts'
import { startConsumer } from '#libs/consume.ts'
import { silentLog } from '#libs/log.ts'
import { startRelay } from '#libs/relay.ts'
import { systemClock as clock } from '#libs/systemClock.ts'
import { collectingLog } from '../../support/collectingLog.ts'
import { something } from '../../support/counter.ts'
import { findNats, NatsServer } from '../../support/servers.ts'
import { mustAppend } from '../../support/store.ts'
import { memoryStore } from '../../support/stores.ts'

const program = await findNats()
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 10_000, interval: 5 })
const lost = 'the connection to NATS is lost; consumers read from the store until it is back'
const back = 'connected to NATS again'

describe.skipIf(program === null)('when NATS goes away', () => {
  let server: NatsServer
  let log = collectingLog()
  let bus: Bus
  beforeEach(async () => {
    server = await NatsServer.start(program!)
    log = collectingLog()
    bus = await open({ log })
  })
  afterEach(async () => {
    await bus[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const open = (options: Partial<NatsBusOptions> = {}) =>
    openNatsBus(server.url, { clock, log: silentLog, allowOldServer: true, drainMs: 500, ...options })
  const faultOf = (asked: Promise<unknown>) => asked.then(String, (error: unknown) => error)

  it.each(['is killed', 'is stopped', 'is killed and forgets everything'])(
    'subscriptions and requests work again when the server %s and comes back',
    async (what) => {
      const heard: unknown[] = []
      await using other = await open()
      bus.subscribe('a.*', ({ payload }) => void heard.push(payload))
      bus.respond('ask', async ({ payload }) => payload, { queue: 'q' })
      await eventually(async () => expect(await other.request('ask', 'before')).toBe('before'))

      await (what === 'is stopped' ? server.stop() : server.kill())
      await eventually(() => expect(log.linesOf('warn')).toEqual([lost]))
      if (what.endsWith('everything')) server.wipe()
      await server.start()

      await eventually(() => other.request('ask', 'after', { timeoutMs: 200 }))
      other.publish('a.b', 'after')
      await eventually(() => expect(heard).toEqual(['after']))
      expect(log.lines.filter((line) => line === lost || line === back)).toEqual([lost, back])
    },
  )

  it('requests fail at once meanwhile, and publishing does nothing', async () => {
    const heard: unknown[] = []
    bus.subscribe('a', ({ payload }) => void heard.push(payload))
    bus.respond('ask', async () => 'answer')
    await bus.request('ask', 1)
    await server.kill()
    await eventually(async () => {
      const startedMs = clock.steadyMs()
      expect(await faultOf(bus.request('ask', 1, { timeoutMs: 900 }))).toMatchObject({
        name: 'BusFault',
        reason: 'no-responders',
      })
      expect(clock.steadyMs() - startedMs).toBeLessThan(500)
    })
    for (let n = 0; n < 10_000; n++) bus.publish('a', n)

    await server.start()
    await eventually(() => bus.request('ask', 1))
    bus.publish('a', 'after')
    await eventually(() => expect(heard).toEqual(['after']))
  })

  it('a request that was on its way fails with a fault and not for ever', async () => {
    bus.respond('ask', () => Promise.withResolvers().promise)
    await bus.request('nobody', 1).catch(() => {})
    const asked = faultOf(bus.request('ask', 1, { timeoutMs: 500 }))
    await server.kill()
    expect(await asked).toMatchObject({ name: 'BusFault', reason: 'timeout' })
  })

  it('subscribing meanwhile works once it is back', async () => {
    await server.kill()
    await eventually(() => expect(log.lines).toContain(lost))
    const heard: unknown[] = []
    bus.subscribe('a', ({ payload }) => void heard.push(payload))
    bus.respond('ask', async () => 'answer')
    await server.start()
    await eventually(async () => expect(await bus.request('ask', 1)).toBe('answer'))
    bus.publish('a', 1)
    await eventually(() => expect(heard).toEqual([1]))
  })

  it('closing does not wait for it', async () => {
    bus.respond('ask', () => Promise.withResolvers().promise)
    const startedMs = clock.steadyMs()
    await server.kill()
    await eventually(() => expect(log.lines).toContain(lost))
    await bus[Symbol.asyncDispose]()
    expect(clock.steadyMs() - startedMs).toBeLessThan(3_000)
    expect(await faultOf(bus.request('ask', 1))).toMatchObject({ reason: 'closed' })
  })

  it('a server that hangs is noticed, what is sent to it is bounded, and it may come back', async () => {
    const hangLog = collectingLog()
    await using hanging = await open({ log: hangLog, pingMs: 200 })
    hanging.respond('ask', async () => 'answer')
    await hanging.request('ask', 1)
    server.freeze()
    const megabyte = 'x'.repeat(1_000_000)
    const before = process.memoryUsage().rss
    for (let n = 0; n < 300; n++) hanging.publish('a', megabyte)
    expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000)
    expect(hangLog.linesOf('warn')).toContain('NATS is too slow: messages are dropped')
    await eventually(() => expect(hangLog.linesOf('warn')).toContain(lost))
    server.thaw()
    await eventually(async () => expect(await hanging.request('ask', 1, { timeoutMs: 500 })).toBe('answer'))
  })

  it('a consumer misses nothing and gets nothing twice', async () => {
    const store = memoryStore(clock)
    const positions: number[] = []
    const append = async (count: number) => {
      const { version } = await store.read('machine-a')
      await mustAppend(store, 'machine-a', version, ...Array.from({ length: count }, () => something({ of: count })))
    }
    await using relayBus = await open()
    await using _relay = startRelay({ store, bus: relayBus, clock, log: silentLog })
    await using consumer = startConsumer({
      ...{ name: 'test', store, bus, clock, log: silentLog, after: 0, idleMs: 100 },
      handle: (events) => void positions.push(...events.map(({ meta }) => meta.position)),
    })

    await append(20)
    expect(await consumer.reached(20, 5_000)).toBe(true)
    await server.kill()
    await append(20)
    expect(await consumer.reached(40, 5_000)).toBe(true)
    server.wipe()
    await server.start()
    for (let round = 0; round < 10; round++) await append(10)
    expect(await consumer.reached(140, 5_000)).toBe(true)
    expect(positions).toEqual(Array.from({ length: 140 }, (_, n) => n + 1))
  })

  it('Remuda waits for it for a while when it starts first, and says so', async () => {
    const early = collectingLog()
    await server.kill()
    const opening = open({ log: early })
    await eventually(() => expect(early.linesOf('warn')).toEqual(['NATS does not answer yet; it is tried again']))
    await server.start()
    await using opened = await opening
    opened.respond('ask', async () => 'answer')
    expect(await opened.request('ask', 1)).toBe('answer')
  })
})
