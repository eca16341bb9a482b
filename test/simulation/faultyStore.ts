import { StoreFault, type EventStore } from '#libs/store/store.ts'
import type { Context } from './context.ts'

/** Chances, each from 0 to 1, of what a store may do to a call. */
export interface StoreFaults {
  /** It fails and nothing was done. */
  readonly fail: number
  /** An append is carried out and fails all the same: did it happen? */
  readonly failBehind: number
  /** It takes up to `slowMaxMs`. */
  readonly slow: number
  readonly slowMaxMs: number
}

const asked = ['append', 'read', 'readAll', 'head', 'saveCheckpoint', 'loadCheckpoint', 'saveSnapshot'] as const

/** A store that does to calls what a disk in trouble does to them, and loses nothing that it has acknowledged. */
export function faultyStore(context: Context, store: EventStore, faults: StoreFaults): EventStore {
  const { clock, dice } = context
  const happens = (chance: number) => dice.chance() < chance
  const around = async (name: string, call: () => Promise<unknown>) => {
    if (happens(faults.slow)) await clock.sleep(dice.chance() * faults.slowMaxMs)
    if (happens(faults.fail)) throw new StoreFault('The disk does not answer.')
    const result = await call()
    if (name === 'append' && happens(faults.failBehind))
      throw new StoreFault('The disk did not say whether it is done.')
    return result
  }
  return new Proxy(store, {
    get(target, name) {
      if (name === 'fenced')
        return (...of: Parameters<EventStore['fenced']>) => faultyStore(context, store.fenced(...of), faults)
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function' || !asked.includes(name as 'append')) return value
      return (...args: unknown[]) => around(String(name), () => value.apply(target, args) as Promise<unknown>)
    },
  })
}
