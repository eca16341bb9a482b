import { describe, expect, it } from 'vitest'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { openBus } from '#libs/bus/open.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'
import { collectingLog } from '../../support/collectingLog.ts'
import { createVirtualClock } from '../../support/virtualClock.ts'
import { busConformance } from './conformance.ts'

busConformance('memory bus', async () => {
  const log = collectingLog()
  return { bus: createMemoryBus({ clock: systemClock, log }), logged: log.lines }
})

describe('the memory bus alone', () => {
  it('hands over the very same payload', async () => {
    const clock = createVirtualClock()
    await using bus = createMemoryBus({ clock, log: silentLog })
    const payload = { n: 1 }
    const seen: unknown[] = []
    bus.subscribe('a', (message) => void seen.push(message.payload))
    bus.publish('a', payload)
    await clock.settle()
    expect(seen[0]).toBe(payload)
  })

  it('delivers without time passing, and needs no timer to do so', async () => {
    const clock = createVirtualClock()
    await using bus = createMemoryBus({ clock, log: silentLog })
    bus.respond('ask', async ({ payload }) => payload)
    expect(await bus.request('ask', 1)).toBe(1)
    expect(clock.timers).toBe(0)
  })

  it('drops what a slow subscriber has no room for, says so once, and does not slow the others', async () => {
    const clock = createVirtualClock()
    const log = collectingLog()
    await using bus = createMemoryBus({ clock, log, waitingMax: 10 })
    const gate = Promise.withResolvers<void>()
    const [slow, quick]: [unknown[], unknown[]] = [[], []]
    bus.subscribe('a', async ({ payload }) => {
      slow.push(payload)
      await gate.promise
    })
    bus.subscribe('a', ({ payload }) => void quick.push(payload))

    for (let n = 0; n < 30; n++) {
      bus.publish('a', n)
      await clock.settle()
    }
    expect(quick).toHaveLength(30)
    gate.resolve()
    await clock.settle()
    expect(slow).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(log.linesOf('warn')).toEqual(['a bus subscriber is too slow: messages are dropped'])

    bus.publish('a', 'after')
    await clock.settle()
    expect(slow.at(-1)).toBe('after')
  })

  it('fails requests beyond what a responder may have in hand', async () => {
    const clock = createVirtualClock()
    await using bus = createMemoryBus({ clock, log: silentLog, requestsMax: 2 })
    const gate = Promise.withResolvers<string>()
    bus.respond('ask', () => gate.promise)
    const asked = [1, 2].map((n) => bus.request('ask', n))
    await clock.settle()
    await expect(bus.request('ask', 3)).rejects.toMatchObject({ reason: 'failed' })
    gate.resolve('fine')
    expect(await Promise.all(asked)).toEqual(['fine', 'fine'])
  })

  it('times a request out by the clock it is given', async () => {
    const clock = createVirtualClock()
    await using bus = createMemoryBus({ clock, log: silentLog })
    bus.respond('ask', () => Promise.withResolvers().promise)
    const asked = bus.request('ask', 1, { timeoutMs: 60_000 }).catch((error: unknown) => error)
    await clock.advance(59_999)
    expect(clock.timers).toBe(1)
    await clock.advance(1)
    expect(await asked).toMatchObject({ reason: 'timeout' })
  })
})

describe('opening a bus by its URL', () => {
  const options = { clock: systemClock, log: silentLog }

  it('knows memory:', async () => {
    await using bus = await openBus('memory:', options)
    bus.respond('ask', async () => 1)
    expect(await bus.request('ask', 0)).toBe(1)
  })

  it.each(['carrier-pigeon://roof', 'memory', ''])("says of '%s' what it does know", async (url) => {
    await expect(openBus(url, options)).rejects.toThrow(/REMUDA_BUS_URL.*memory:/)
  })
})
