import { every, spell, type Note } from './chaos.ts'
import type { Context } from './context.ts'
import type { Machine } from './machine.ts'
import type { Profile } from './profile.ts'

export const zones = ['zone-a', 'zone-b', 'zone-c'] as const

export type Home = 'elastic' | 'static' | 'workers'

export interface YardOptions {
  readonly stage: Context
  readonly profile: Profile
  /** How many machines are to be there of each environment. */
  readonly elastic: number
  readonly fixed: number
  readonly make: (environmentId: Home, zone: string, count: number) => Machine
  readonly note: Note
}

interface Place {
  readonly environmentId: Home
  readonly zone: string
  machine: Machine
  isDead: boolean
}

/** Where machines come from and go to: they are bought, die, blink, reboot, and fail together when their zone fails. */
export class Yard {
  readonly #options: YardOptions
  readonly #places: Place[] = []
  readonly #outages = new Map<Machine, number>()
  #made = 0

  constructor(options: YardOptions) {
    this.#options = options
    for (let index = 0; index < options.elastic; index++) this.#add('elastic', index)
    for (let index = 0; index < options.fixed; index++) this.#add('static', index)
    this.#add('workers', 0)
  }

  get machines(): readonly Machine[] {
    return this.#places.map(({ machine }) => machine)
  }

  /** The machines that are there for good, once all is calm. */
  get living(): readonly Machine[] {
    return this.#places.filter(({ isDead }) => !isDead).map(({ machine }) => machine)
  }

  run(calm: AbortSignal): void {
    const { stage, profile } = this.#options
    for (const place of this.#places) {
      stage.timer(stage.dice.chance() * 60_000, () => place.machine.boot())
      const lifeMs = place.environmentId === 'elastic' ? profile.lifeMs : null
      void every(stage, lifeMs, calm, () => this.#replace(place, calm))
      void every(stage, profile.blinkEveryMs, calm, () => this.#blink(place, calm))
      void every(stage, profile.rebootEveryMs, calm, () => this.#reboot(place, calm))
    }
    void every(stage, profile.zoneOutageEveryMs, calm, () => this.#failTogether(calm))
  }

  /** All that can be mended is mended. */
  heal(): void {
    for (const { machine, isDead } of this.#places) {
      if (isDead) continue
      this.#outages.delete(machine)
      if (!machine.road.isOpen) machine.road.unblock()
      machine.boot()
    }
  }

  #add(environmentId: Home, index: number): void {
    const zone = zones[index % zones.length]!
    this.#places.push({ environmentId, zone, machine: this.#make(environmentId, zone), isDead: false })
  }

  #make(environmentId: Home, zone: string): Machine {
    return this.#options.make(environmentId, zone, (this.#made += 1))
  }

  async #replace(place: Place, calm: AbortSignal): Promise<void> {
    const { stage, profile } = this.#options
    this.#options.note(`${place.machine.name} dies for good`)
    place.machine.crash(true)
    place.machine.road.block()
    place.isDead = true
    await stage.clock.sleep(spell(stage, profile.replacedAfterMs), calm)
    if (calm.aborted) return
    place.machine = this.#make(place.environmentId, place.zone)
    place.isDead = false
    place.machine.boot()
  }

  async #blink(place: Place, calm: AbortSignal): Promise<void> {
    const { stage, profile } = this.#options
    await this.#cutOff(place.machine, stage.dice.chance() ** 3 * profile.blinkMaxMs, calm)
  }

  async #failTogether(calm: AbortSignal): Promise<void> {
    const { stage, profile } = this.#options
    const { chance } = stage.dice
    const outageMs = chance() * profile.zoneOutageMaxMs
    const zonesDown = zones.slice(0, 1 + Math.floor(chance() * zones.length))
    const hit = this.#places.filter(({ zone, isDead }) => zonesDown.includes(zone as 'zone-a') && !isDead)
    await Promise.all(hit.map(({ machine }) => this.#cutOff(machine, outageMs, calm)))
  }

  async #cutOff(machine: Machine, ms: number, calm: AbortSignal): Promise<void> {
    const { stage } = this.#options
    this.#options.note(`${machine.name} is cut off for ${Math.round(ms / 1000)} s`)
    this.#outages.set(machine, (this.#outages.get(machine) ?? 0) + 1)
    machine.road.block()
    await stage.clock.sleep(ms, calm)
    const left = (this.#outages.get(machine) ?? 1) - 1
    this.#outages.set(machine, left)
    const isDead = this.#places.every((place) => place.machine !== machine || place.isDead)
    if (left === 0 && !isDead && !calm.aborted) machine.road.unblock()
  }

  /** The agent restarts, is restarted, or its whole machine loses power for a while. */
  async #reboot(place: Place, calm: AbortSignal): Promise<void> {
    const { stage } = this.#options
    const { chance } = stage.dice
    const { machine } = place
    const kind = chance()
    this.#options.note(`${machine.name} ${kind < 0.3 ? 'stops' : kind < 0.65 ? 'loses power' : 'crashes'}`)
    if (kind < 0.3) machine.stop()
    else machine.crash(kind < 0.65)
    const offMs = chance() < 0.7 ? 5_000 + chance() * 60_000 : chance() * 3 * 3_600_000
    await stage.clock.sleep(offMs, calm)
    while (machine.isOn && kind < 0.3) await stage.clock.sleep(1_000)
    if (place.machine === machine && !place.isDead) machine.boot()
  }
}
