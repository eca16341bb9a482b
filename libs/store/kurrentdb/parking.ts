import type { Clock } from '#libs/clock.ts'
import type { Parked } from '../store.ts'
import { proposal } from './events.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

const parkedType = 'EventParked'
const unparkedType = 'EventUnparked'

export interface ParkingParts {
  readonly clock: Clock
  readonly reader: Reader
  readonly writer: Writer
  readonly name: string
}

/**
 * What is parked, as a stream of what was put there and taken out, cut off whenever nothing is left. One event that
 * lists them all would be written anew for each, and outgrow what the server takes.
 */
export class Parking {
  readonly #parts: ParkingParts

  constructor(parts: ParkingParts) {
    this.#parts = parts
  }

  async park(parked: Parked): Promise<void> {
    await this.#append(parkedType, { ...parked })
  }

  async unpark(reactor: string, position: number): Promise<void> {
    const { writer, name } = this.#parts
    const { parked, revision } = await this.#read()
    if (!parked.delete(keyOf({ reactor, position }))) return
    await this.#append(unparkedType, { reactor, position })
    // What others have parked meanwhile is behind that revision.
    if (parked.size === 0) await writer.cut(name, { truncateBefore: Number(revision) + 1 })
  }

  async list(): Promise<readonly Parked[]> {
    const { parked } = await this.#read()
    return [...parked.values()].sort((a, b) => a.position - b.position || (a.reactor < b.reactor ? -1 : 1))
  }

  async #read() {
    const parked = new Map<string, Parked>()
    let revision = 0n
    for (const { event } of await this.#parts.reader.everything(this.#parts.name)) {
      if (event === undefined) continue
      revision = event.revision
      const data = event.data as unknown as Parked
      if (event.type === parkedType) parked.set(keyOf(data), data)
      else parked.delete(keyOf(data))
    }
    return { parked, revision }
  }

  /** Whether it comes before or after what others park makes no difference, nor does parking twice. */
  async #append(type: string, data: object): Promise<void> {
    const { writer, name, clock } = this.#parts
    await writer.deliver(name, 'any', [proposal(type, data, clock)])
  }
}

const keyOf = ({ reactor, position }: Pick<Parked, 'reactor' | 'position'>): string =>
  JSON.stringify([reactor, position])
