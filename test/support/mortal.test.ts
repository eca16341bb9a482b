import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryBus } from '#libs/bus/memory.ts'
import { silentLog } from '#libs/log.ts'
import { causeOf, something } from './counter.ts'
import { createMortal } from './mortal.ts'
import { memoryStore } from './stores.ts'
import { createVirtualClock } from './virtualClock.ts'

let clock = createVirtualClock()
let life = createMortal(clock)
let said: string[] = []
const say = (what: string) => () => void said.push(what)

beforeEach(() => {
  clock = createVirtualClock()
  life = createMortal(clock)
  said = []
})

describe('a process that can be killed', () => {
  it('does what every process does while it lives', async () => {
    const store = life.store(memoryStore(clock))
    const bus = life.bus(createMemoryBus({ clock, log: silentLog }))
    bus.subscribe('a', say('heard'))
    bus.respond('ask', async () => 'answer')
    life.clock.timer(10, say('timer'))
    void life.clock.sleep(20).then(say('slept'))
    bus.publish('a', 1)
    expect(await bus.request('ask', 1)).toBe('answer')
    await store.append('a-1', 0, [something()], causeOf('c'))
    const stop = new AbortController()
    for await (const page of store.follow(0, stop.signal)) {
      said.push(`page of ${page.length}`)
      stop.abort()
    }
    await clock.advance(20)
    expect(said).toEqual(['heard', 'page of 1', 'timer', 'slept'])
  })

  it('hears, sees and does nothing more when it is dead', async () => {
    const inner = memoryStore(clock)
    const whole = createMemoryBus({ clock, log: silentLog })
    const [store, bus] = [life.store(inner), life.bus(whole)]
    bus.subscribe('a', say('heard'))
    bus.respond('ask', async () => 'answer')
    life.clock.timer(10, say('timer'))
    void life.clock.sleep(10).then(say('slept'))
    void (async () => {
      for await (const _ of store.follow(0, new AbortController().signal)) said.push('page')
    })()
    void store.append('a-1', 0, [something()], causeOf('c')).then(say('stored'))
    life.kill()
    whole.publish('a', 1)
    bus.publish('a', 2)
    void store.append('a-1', 1, [something()], causeOf('d')).then(say('stored'), say('failed'))
    life.clock.timer(10, say('timer'))
    await clock.advance(100)
    expect(said).toEqual([])
    expect(life.isDead).toBe(true)
    expect(clock.timers).toBe(0)
    // What was on its way had its effect; what was begun later had none.
    expect(await inner.head()).toBe(1)
    await expect(whole.request('ask', 1)).rejects.toMatchObject({ reason: 'no-responders' })
  })
})
