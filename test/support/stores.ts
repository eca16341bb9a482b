import type { Clock } from '#libs/clock.ts'
import { openMemoryStore } from '#libs/store/memory.ts'
import type { EventStore } from '#libs/store/store.ts'

/** A store whose methods can be taken over one by one, to fail, to wait, or to count; the rest goes through. */
export function watchedStore(inner: EventStore, takeOver: Partial<EventStore> = {}): EventStore & { calls: string[] } {
  const calls: string[] = []
  const store = new Proxy(inner, {
    get(target, name) {
      if (name === 'calls') return calls
      const value: unknown = Reflect.get(takeOver, name) ?? Reflect.get(target, name)
      if (typeof value !== 'function' || typeof name === 'symbol') return value
      return (...args: unknown[]) => {
        calls.push(name)
        return value.apply(target, args) as unknown
      }
    },
  })
  return store as EventStore & { calls: string[] }
}

export const memoryStore = (clock: Clock): EventStore => openMemoryStore({ clock })
