import type { HealthEvidence, HealthStatus } from '#contracts/health.ts'
import type { HealthRecord } from './decider.ts'
import { createWheel, type Timed } from './wheel.ts'

export interface Thresholds {
  readonly lateAfterMs: number
  readonly unavailableAfterMs: number
}

type HeartbeatEvidence = Extract<HealthEvidence['kind'], `heartbeat${string}`>

interface Watched extends Timed {
  readonly machineId: string
  thresholds: Thresholds
  status: HealthStatus
  /** The gateway by which it was last heard; null when this observer has not heard it yet. */
  gatewayId: string | null
  /** When it was heard, by the steady clock; null when this observer has not heard it yet. */
  lastHeardAt: number | null
  /** From when on its silence counts, in time that was listened: the last sign of life, or the start of a fresh grace. */
  silentSince: number
  late: boolean
}

/**
 * Watches for what does not happen. It is told of every sign of life and of the passing of time, and answers with what
 * is to be recorded: transitions, and nothing else. Only time in which this observer listened counts as silence: it
 * keeps a clock of its own, which stands still while nobody listens.
 */
export class Watchdog {
  readonly #observerId: string
  readonly #watched = new Map<string, Watched>()
  readonly #wheel
  #deafMs = 0

  constructor(observerId: string, startMs: number) {
    this.#observerId = observerId
    this.#wheel = createWheel<Watched>(startMs)
  }

  get size(): number {
    return this.#watched.size
  }

  /** Begins to watch a machine, or to watch it anew: it has a whole grace from now on. */
  watch(machineId: string, status: HealthStatus, thresholds: Thresholds, nowMs: number): void {
    this.unwatch(machineId)
    const machine: Watched = {
      ...{ machineId, thresholds, status, gatewayId: null, lastHeardAt: null, late: false, slot: -1 },
      silentSince: this.#listened(nowMs),
    }
    this.#watched.set(machineId, machine)
    this.#lookLater(machine)
  }

  unwatch(machineId: string): void {
    const known = this.#watched.get(machineId)
    if (known !== undefined) this.#wheel.remove(known)
    this.#watched.delete(machineId)
  }

  isWatched(machineId: string): boolean {
    return this.#watched.has(machineId)
  }

  setThresholds(machineId: string, thresholds: Thresholds): void {
    const known = this.#watched.get(machineId)
    if (known === undefined) return
    known.thresholds = thresholds
    if (known.status !== 'unavailable') this.#lookLater(known)
  }

  /** What was recorded of the machine; where it differs from what was meant to be, it is what counts. */
  correct(machineId: string, status: HealthStatus): void {
    const known = this.#watched.get(machineId)
    if (known === undefined || known.status === status) return
    known.status = status
    if (status !== 'unavailable') this.#lookLater(known)
  }

  /** A sign of life. The hot path: for a machine that is well it writes down when and by whom. */
  hear(machineId: string, gatewayId: string, nowMs: number): HealthRecord | null | 'not-watched' {
    const machine = this.#watched.get(machineId)
    if (machine === undefined) return 'not-watched'
    machine.gatewayId = gatewayId
    machine.lastHeardAt = nowMs
    machine.silentSince = this.#listened(nowMs)
    machine.late = false
    if (machine.status !== 'unavailable' && machine.status !== 'unknown') return null
    // What the record makes of it follows from the checks, and is told by `correct`.
    machine.status = 'healthy'
    if (machine.slot === -1) this.#lookLater(machine)
    return this.#record('RecordHeard', 'heartbeat', machine, nowMs)
  }

  /** Time has passed: who has been silent for too long? */
  tick(nowMs: number): readonly HealthRecord[] {
    return this.#wheel.advance(this.#listened(nowMs)).flatMap((due) => this.#look(due, nowMs) ?? [])
  }

  /** Nobody listened for a while, so nobody was silent for that while either. */
  forgive(gapMs: number): void {
    this.#deafMs += gapMs
  }

  /**
   * Gives machines a whole grace from now on, since they could not be heard for a while, unless they count as
   * unavailable already.
   * @param gatewayId only those that were last heard by this gateway
   */
  grantGrace(nowMs: number, gatewayId?: string): void {
    for (const machine of this.#watched.values()) {
      if (machine.status === 'unavailable' || (gatewayId !== undefined && machine.gatewayId !== gatewayId)) continue
      machine.silentSince = this.#listened(nowMs)
      machine.late = false
      this.#lookLater(machine)
    }
  }

  gatewayOf(machineId: string): string | null {
    return this.#watched.get(machineId)?.gatewayId ?? null
  }

  /** How long the machine has been silent while we listened; null when it is not watched. */
  silentMs(machineId: string, nowMs: number): number | null {
    const machine = this.#watched.get(machineId)
    return machine === undefined ? null : this.#silence(machine, nowMs)
  }

  /** Whether it has been silent for so long, heard by this observer, that it counts as unavailable, or as late. */
  isSilent(machineId: string, nowMs: number, after: keyof Thresholds = 'unavailableAfterMs'): boolean {
    const machine = this.#watched.get(machineId)
    return machine !== undefined && this.#silence(machine, nowMs) >= machine.thresholds[after]
  }

  #look(machine: Watched, nowMs: number): HealthRecord | null {
    if (machine.status === 'unavailable') return null
    const silentMs = this.#silence(machine, nowMs)
    if (silentMs >= machine.thresholds.unavailableAfterMs) {
      machine.status = 'unavailable'
      return this.#record('RecordSilent', 'heartbeat-missing', machine, nowMs)
    }
    const becameLate = silentMs >= machine.thresholds.lateAfterMs && !machine.late
    if (becameLate) machine.late = true
    this.#lookLater(machine)
    return becameLate ? this.#record('RecordLate', 'heartbeat-late', machine, nowMs) : null
  }

  #lookLater(machine: Watched): void {
    const { late, silentSince, thresholds } = machine
    const { lateAfterMs, unavailableAfterMs } = thresholds
    this.#wheel.schedule(machine, silentSince + (late ? unavailableAfterMs : Math.min(lateAfterMs, unavailableAfterMs)))
  }

  #listened(nowMs: number): number {
    return nowMs - this.#deafMs
  }

  #silence({ silentSince }: Watched, nowMs: number): number {
    return Math.max(0, this.#listened(nowMs) - silentSince)
  }

  #record(type: HealthRecord['type'], kind: HeartbeatEvidence, machine: Watched, nowMs: number): HealthRecord {
    const { machineId, lastHeardAt, thresholds } = machine
    const silentMs = Math.round(this.#silence(machine, nowMs))
    const thresholdMs = thresholdOf(kind, thresholds)
    const evidence = { kind, lastHeardAt, silentMs, thresholdMs, observerId: this.#observerId }
    return { type, data: { machineId, at: nowMs, evidence } } as HealthRecord
  }
}

function thresholdOf(kind: HeartbeatEvidence, { lateAfterMs, unavailableAfterMs }: Thresholds): number | null {
  switch (kind) {
    case 'heartbeat':
      return null
    case 'heartbeat-late':
      return lateAfterMs
    case 'heartbeat-missing':
      return unavailableAfterMs
  }
}
