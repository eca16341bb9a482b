import { afterEach, describe, expect, it } from 'vitest'
import { BusFault } from '#libs/bus/bus.ts'
import { localFirst } from '#libs/bus/localFirst.ts'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { systemClock } from '#libs/systemClock.ts'
import { collectingLog } from '../../support/collectingLog.ts'
import { busConformance } from './conformance.ts'

const open = (log = silentLog) => createMemoryBus({ clock: systemClock, log })

busConformance('bus that asks here first', async () => {
  const log = collectingLog()
  return { bus: localFirst(open(log), open(log)), logged: log.lines }
})

describe('a request', () => {
  const outside = open()
  const bus = localFirst(outside, open())
  afterEach(() => elsewhere.stop())
  let elsewhere = { stop() {} }

  it('is answered here where it can be, and elsewhere where not', async () => {
    elsewhere = outside.respond('ask.*', async () => 'elsewhere')
    const here = bus.respond('ask.me', async () => 'here')
    expect(await bus.request('ask.me', 1)).toBe('here')
    expect(await bus.request('ask.you', 1)).toBe('elsewhere')
    here.stop()
    expect(await bus.request('ask.me', 1)).toBe('elsewhere')
  })
  it('that fails here is not asked again elsewhere', async () => {
    elsewhere = outside.respond('ask.*', async () => 'elsewhere')
    const here = bus.respond('ask.me', () => Promise.reject(new Error('broken')))
    await expect(bus.request('ask.me', 1)).rejects.toThrow('broken')
    here.stop()
  })
  it('of others is answered here as well', async () => {
    const here = bus.respond('ask.me', async () => 'here')
    expect(await outside.request('ask.me', 1)).toBe('here')
    here.stop()
  })
  it('is answered here also while nobody outside can be reached', async () => {
    const away = { ...outside, request: () => Promise.reject(new BusFault('no-responders', 'NATS is away')) }
    const cutOff = localFirst({ ...away, publish() {}, subscribe: () => elsewhere, respond: () => elsewhere }, open())
    cutOff.respond('ask.me', async () => 'here')
    expect(await cutOff.request('ask.me', 1)).toBe('here')
    await expect(cutOff.request('ask.you', 1)).rejects.toMatchObject({ reason: 'no-responders' })
  })
})
