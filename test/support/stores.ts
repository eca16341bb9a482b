import type { Recorded } from '#contracts/message.ts'
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

/** A store whose positions are `gap` apart, as those of one are that shares its log with others. */
export function storeWithGaps(inner: EventStore, gap: number): EventStore & { calls: string[] } {
  const apart = (events: readonly Recorded[]): readonly Recorded[] =>
    events.map((event) => ({ ...event, meta: { ...event.meta, position: event.meta.position * gap } }))
  return watchedStore(inner, {
    async append(...append) {
      const outcome = await inner.append(...append)
      return outcome === 'conflict' ? outcome : apart(outcome)
    },
    read: async (...read) => {
      const { version, events } = await inner.read(...read)
      return { version, events: apart(events) }
    },
    readAll: async (after, limit) => apart(await inner.readAll(Math.floor(after / gap), limit)),
    head: async () => (await inner.head()) * gap,
    async *follow(after, signal) {
      for await (const page of inner.follow(Math.floor(after / gap), signal)) yield apart(page)
    },
  })
}

export const memoryStore = (clock: Clock): EventStore => openMemoryStore({ clock })
