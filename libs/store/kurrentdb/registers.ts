import type { Clock } from '#libs/clock.ts'
import { StoreFault } from '../store.ts'
import { proposal } from './events.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

const racesMax = 50

export interface RegistersParts {
  readonly reader: Reader
  readonly writer: Writer
  readonly clock: Clock
}

/** Streams that are cut to their last event: each holds one value, the last one that was written. */
export class Registers {
  readonly #parts: RegistersParts

  constructor(parts: RegistersParts) {
    this.#parts = parts
  }

  async get(name: string): Promise<unknown> {
    return (await this.#parts.reader.last(name))?.event?.data ?? null
  }

  /**
   * Replaces a value by what follows from it, whoever else does the same at the same time, and answers what is there
   * then.
   * @param next the new value; null when the old one is to stay
   */
  async change<Value extends object>(
    name: string,
    type: string,
    next: (old: Value | null) => Value | null,
  ): Promise<Value | null> {
    const { reader, writer, clock } = this.#parts
    for (let races = 0; races < racesMax; races++) {
      const last = (await reader.last(name))?.event
      const old = (last?.data ?? null) as Value | null
      const value = next(old)
      if (value === null) return old
      if (last === undefined) await writer.cut(name, { maxCount: 1 })
      const delivered = await writer.deliver(name, last?.revision ?? null, [proposal(type, value, clock)])
      if (delivered !== 'conflict') return value
    }
    throw new StoreFault(`${name} was changed by others ${racesMax} times in a row. Try again in a moment.`)
  }
}
