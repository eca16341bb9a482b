import type { HeartbeatSignal } from '#contracts/signals.ts'
import { heartbeatSignal } from '#contracts/subjects.ts'
import type { Bus } from '#libs/bus/bus.ts'
import type { Clock, Timer } from '#libs/clock.ts'
import type { GatewaySettings } from './settings.ts'

/** Who can be heard: remembers in which batch it was last named, so that a batch names it once. */
export interface Heard {
  readonly machineId: string
  batch: number
}

/** Tells on which machines were heard, many at a time. This is the hot path: one heartbeat costs a comparison and a push. */
export class Beats implements Disposable {
  readonly #clock: Clock
  readonly #bus: Bus
  readonly #settings: GatewaySettings
  #machineIds: string[] = []
  #closed: string[] = []
  #batch = 1
  #timer: Timer | undefined

  constructor(clock: Clock, bus: Bus, settings: GatewaySettings) {
    this.#clock = clock
    this.#bus = bus
    this.#settings = settings
  }

  heard(who: Heard): void {
    if (who.batch === this.#batch) return
    who.batch = this.#batch
    this.#machineIds.push(who.machineId)
    if (this.#machineIds.length >= this.#settings.flushMachinesMax) this.#flush()
    else this.#timer ??= this.#clock.timer(this.#settings.flushMs, () => this.#flush())
  }

  /** A session has ended. A hint to look, since the machine may be on its way back. */
  closed(machineId: string): void {
    this.#closed.push(machineId)
    this.#timer ??= this.#clock.timer(this.#settings.flushMs, () => this.#flush())
  }

  [Symbol.dispose](): void {
    this.#flush()
  }

  #flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#machineIds.length === 0 && this.#closed.length === 0) return
    const { gatewayId } = this.#settings
    const signal: HeartbeatSignal = { gatewayId, machineIds: this.#machineIds, closed: this.#closed }
    this.#machineIds = []
    this.#closed = []
    this.#batch += 1
    this.#bus.publish(heartbeatSignal, signal)
  }
}
