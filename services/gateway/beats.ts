import type { HeartbeatSignal } from '#contracts/signals.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import type { Bus } from '#libs/bus/bus.ts'
import type { Clock, Timer } from '#libs/clock.ts'
import type { GatewaySettings } from './settings.ts'

/** Who can be heard: remembers in which batch it was last named, so that a batch names it once. */
export interface Heard {
  readonly machineId: string
  /** Whose listeners are to be told. */
  readonly partition: number
  batch: number
}

interface Batch {
  machineIds: string[]
  closed: string[]
}

const nobody = (): Batch => ({ machineIds: [], closed: [] })

/** Tells on which machines were heard, many at a time. This is the hot path: one heartbeat costs a comparison and a push. */
export class Beats implements Disposable {
  readonly #clock: Clock
  readonly #bus: Bus
  readonly #settings: GatewaySettings
  readonly #batches: Batch[]
  #heard = 0
  #batch = 1
  #timer: Timer | undefined
  #speaking: Timer

  constructor(clock: Clock, bus: Bus, settings: GatewaySettings) {
    this.#clock = clock
    this.#bus = bus
    this.#settings = settings
    this.#batches = Array.from({ length: settings.partitions }, nobody)
    this.#speaking = clock.timer(0, () => this.#speak())
  }

  heard(who: Heard): void {
    if (who.batch === this.#batch) return
    who.batch = this.#batch
    this.#batches[who.partition]!.machineIds.push(who.machineId)
    this.#heard += 1
    if (this.#heard >= this.#settings.flushMachinesMax) this.#flush()
    else this.#timer ??= this.#clock.timer(this.#settings.flushMs, () => this.#flush())
  }

  /** A session has ended. A hint to look, since the machine may be on its way back. */
  closed({ machineId, partition }: Heard): void {
    this.#batches[partition]!.closed.push(machineId)
    this.#timer ??= this.#clock.timer(this.#settings.flushMs, () => this.#flush())
  }

  [Symbol.dispose](): void {
    this.#speaking.cancel()
    this.#flush()
  }

  /** Who listens must be able to tell a gateway that hears nobody from one that is gone. */
  #speak(): void {
    this.#flush(true)
    this.#speaking = this.#clock.timer(this.#settings.speakMs, () => this.#speak())
  }

  #flush(evenIfNobody = false): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#heard = 0
    this.#batch += 1
    const { gatewayId } = this.#settings
    for (const [partition, { machineIds, closed }] of this.#batches.entries()) {
      if (machineIds.length === 0 && closed.length === 0 && !evenIfNobody) continue
      const signal: HeartbeatSignal = { gatewayId, machineIds, closed }
      this.#batches[partition] = nobody()
      this.#bus.publish(heartbeatSignal(partition), signal)
    }
  }
}
