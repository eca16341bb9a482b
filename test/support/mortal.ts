import type { Bus, Subscription } from '#libs/bus/bus.ts'
import type { Clock } from '#libs/clock.ts'
import type { EventStore } from '#libs/store/store.ts'

/**
 * One process that can be killed. What it was given through here stops at once: its timers never fire, its subscriptions
 * hear nothing, and no call to store or bus ever comes back to it, though a call on its way may still have its effect.
 */
export interface Mortal {
  readonly clock: Clock
  readonly isDead: boolean
  store(inner: EventStore): EventStore
  bus(inner: Bus): Bus
  kill(): void
}

const never = new Promise<never>(() => {})

export function createMortal(clock: Clock): Mortal {
  const death = new AbortController()
  const { signal } = death
  const whileAlive = <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (signal.aborted) return never
    return new Promise((resolve, reject) => {
      work().then(
        (value) => void (signal.aborted || resolve(value)),
        (error: Error) => void (signal.aborted || reject(error)),
      )
    })
  }
  return {
    clock: mortalClock(clock, signal),
    get isDead() {
      return signal.aborted
    },
    store: (inner) => mortalStore(inner, signal, whileAlive),
    bus: (inner) => mortalBus(inner, signal, whileAlive),
    kill: () => death.abort(),
  }
}

type WhileAlive = <Value>(work: () => Promise<Value>) => Promise<Value>

const mortalClock = (clock: Clock, death: AbortSignal): Clock => ({
  wallMs: () => clock.wallMs(),
  steadyMs: () => clock.steadyMs(),
  id: () => clock.id(),
  chance: () => clock.chance(),
  bytes: (count) => clock.bytes(count),
  timer: (delayMs, run) => {
    if (death.aborted) return { cancel() {} }
    const cancel = () => timer.cancel()
    const timer = clock.timer(delayMs, () => {
      death.removeEventListener('abort', cancel)
      run()
    })
    death.addEventListener('abort', cancel, { once: true })
    return {
      cancel() {
        death.removeEventListener('abort', cancel)
        timer.cancel()
      },
    }
  },
  sleep: (delayMs, stop) =>
    new Promise((resolve) => {
      const wake = stop ? AbortSignal.any([stop, death]) : death
      void clock.sleep(delayMs, wake).then(() => {
        if (!death.aborted) resolve()
      })
    }),
})

function mortalStore(inner: EventStore, death: AbortSignal, whileAlive: WhileAlive): EventStore {
  async function* follow(after: number, stop: AbortSignal) {
    const pages = inner.follow(after, AbortSignal.any([stop, death]))[Symbol.asyncIterator]()
    for (;;) {
      const next = await whileAlive(() => pages.next())
      if (next.done) return
      yield next.value
    }
  }
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'follow') return follow
      if (name === 'fenced')
        return (...of: Parameters<EventStore['fenced']>) => mortalStore(inner.fenced(...of), death, whileAlive)
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => whileAlive(() => value.apply(target, args) as Promise<unknown>)
    },
  })
}

function mortalBus(inner: Bus, death: AbortSignal, whileAlive: WhileAlive): Bus {
  const untilDeath = (subscription: Subscription): Subscription => {
    death.addEventListener('abort', () => subscription.stop(), { once: true })
    return subscription
  }
  return {
    publish: (subject, payload, options) => void (death.aborted || inner.publish(subject, payload, options)),
    request: (subject, payload, options) => whileAlive(() => inner.request(subject, payload, options)),
    subscribe: (pattern, handler, options) => untilDeath(inner.subscribe(pattern, handler, options)),
    respond: (pattern, handler, options) =>
      untilDeath(inner.respond(pattern, (message) => whileAlive(() => handler(message)), options)),
    receive: (pattern, handler, options) =>
      untilDeath(inner.receive(pattern, (message) => whileAlive(() => handler(message)), options)),
    [Symbol.asyncDispose]: () => whileAlive(() => Promise.resolve(inner[Symbol.asyncDispose]())),
  }
}
