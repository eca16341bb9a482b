import type { Bus } from '#libs/bus/bus.ts'
import type { EventStore } from '#libs/store/store.ts'
import { never, type Context } from './context.ts'

/** The store as one process sees it: once that process is dead, nothing reaches the disk and nothing comes back. */
export function ownStore(context: Context, store: EventStore): EventStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'fenced') return (...of: Parameters<EventStore['fenced']>) => ownStore(context, store.fenced(...of))
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || name === 'follow' || typeof name === 'symbol') return value
      return (...args: unknown[]) =>
        context.isDead ? never() : context.own(value.apply(target, args) as Promise<unknown>)
    },
  })
}

/** The bus as one process sees it, in the same way. */
export const ownBus = (context: Context, bus: Bus): Bus => ({
  publish: (subject, payload, options) => void (context.isDead || bus.publish(subject, payload, options)),
  request: (subject, payload, options) =>
    context.isDead ? never() : context.own(bus.request(subject, payload, options)),
  subscribe: (pattern, handler, options) => bus.subscribe(pattern, handler, options),
  respond: (pattern, handler, options) => bus.respond(pattern, handler, options),
  receive: (pattern, handler, options) => bus.receive(pattern, handler, options),
  [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
})
