import type { EnvironmentEvent } from '#contracts/environment.ts'
import type { HealthEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Meta, Recorded } from '#contracts/message.ts'
import type { CheckSignal, HeartbeatSignal } from '#contracts/signals.ts'
import type { Platform } from '#libs/platform.ts'
import { Checks } from './checks.ts'
import type { HealthRecord } from './decider.ts'
import { Early } from './early.ts'
import { Recorder } from './recorder.ts'
import type { Roster } from './roster.ts'
import { Watchdog } from './watchdog.ts'

export type Followed = MachineEvent | HealthEvent | EnvironmentEvent

export interface PartitionOptions {
  /** Its store is that of the lease for this partition. */
  readonly platform: Platform
  readonly roster: Roster
  readonly observerId: string
  /** Whether a machine belongs to this partition. */
  readonly covers: (machineId: string) => boolean
}

/**
 * Watches the machines of one partition: joins the roster (whom to watch), the watchdog (who is silent) and the record
 * (what is a fact).
 */
export class Partition {
  readonly #platform: Platform
  readonly #roster: Roster
  readonly #covers: (machineId: string) => boolean
  readonly #watchdog: Watchdog
  readonly #recorder: Recorder
  readonly #checks: Checks
  readonly #early = new Early()

  constructor({ platform, roster, observerId, covers }: PartitionOptions) {
    this.#platform = platform
    this.#roster = roster
    this.#covers = covers
    this.#watchdog = new Watchdog(observerId, platform.clock.steadyMs())
    this.#recorder = new Recorder(platform, roster)
    const record = (command: HealthRecord, event?: Meta) => this.#recorder.record(command, event)
    this.#checks = new Checks({ roster, observerId, record })
  }

  /** Begins: from here on silence counts, and every machine has a whole grace. */
  begin(): void {
    for (const { machineId, isStale } of this.#roster.all()) {
      if (!this.#covers(machineId)) continue
      if (isStale) this.#forget(machineId)
      this.#rewatch(machineId)
      this.#settleChecks(machineId)
    }
  }

  /** A promise only when something had to be recorded: most signs of life change nothing. */
  hear(machineId: string, gatewayId: string, nowMs = this.#nowMs()): Promise<void> | undefined {
    const heard = this.#watchdog.hear(machineId, gatewayId, nowMs)
    if (heard === null) return undefined
    if (heard !== 'not-watched') return this.#record(heard)
    this.#early.heard(machineId, gatewayId, nowMs)
    return undefined
  }

  /** Many at once: the clock is read once for all of them. */
  hearAll({ machineIds, gatewayId }: HeartbeatSignal): void {
    const nowMs = this.#nowMs()
    for (const machineId of machineIds) void this.hear(machineId, gatewayId, nowMs)
  }

  /** What a check has found on a machine; nothing of machines that are not watched, such as disabled ones. */
  hearCheck(signal: CheckSignal): void {
    if (this.#watchdog.isWatched(signal.machineId)) void this.#checks.hear(signal, this.#nowMs())
  }

  /** The gateway by which a machine was last heard; null when it has not been heard here. */
  gatewayOf(machineId: string): string | null {
    return this.#watchdog.gatewayOf(machineId)
  }

  async tick(): Promise<void> {
    await Promise.all(this.#watchdog.tick(this.#nowMs()).map((due) => this.#record(due)))
  }

  /** Nobody listened for a while: that time counts as nobody's silence. */
  forgive(gapMs: number): void {
    this.#watchdog.forgive(gapMs)
  }

  /** Machines could not be heard for a while: each has a whole grace again. See `Watchdog.grantGrace`. */
  grantGrace(gatewayId?: string): void {
    this.#watchdog.grantGrace(this.#nowMs(), gatewayId)
  }

  isSilent(machineId: string): boolean {
    return this.#watchdog.isSilent(machineId, this.#nowMs())
  }

  silentMs(machineId: string): number | null {
    return this.#watchdog.silentMs(machineId, this.#nowMs())
  }

  /** Keeps the watch in step with the roster, which knows of the event already, and with what has been recorded. */
  adjust(event: Recorded<Followed>): void {
    if ('machineId' in event.data && !this.#covers(event.data.machineId)) return
    switch (event.type) {
      case 'EnvironmentPolicyChanged':
        return this.#changePolicy(event.data.environmentId, event.meta)
      case 'MachineDeregistered':
      case 'MachineDisabled':
      case 'MachineQuarantined':
        return this.#forget(event.data.machineId)
      case 'MachineRegistered':
      case 'MachineRestored':
      case 'MachineChanged':
      case 'MachineEnabled':
      case 'MachineReleased':
        this.#goOnWatching(event.data.machineId)
        return this.#settleChecks(event.data.machineId, event.meta)
      case 'MachineBecameHealthy':
        return this.#watchdog.correct(event.data.machineId, 'healthy')
      case 'MachineBecameDegraded':
        return this.#watchdog.correct(event.data.machineId, 'degraded')
      case 'MachineBecameUnhealthy':
        return this.#watchdog.correct(event.data.machineId, 'unhealthy')
      case 'MachineBecameUnavailable':
        return this.#watchdog.correct(event.data.machineId, 'unavailable')
      case 'HealthForgotten':
        return this.#watchdog.correct(event.data.machineId, 'unknown')
      case 'HealthCheckFailed':
        // It may have been under way while the check was taken out of the policy.
        return this.#settleChecks(event.data.machineId, event.meta)
      case 'EnvironmentCreated':
      case 'EnvironmentRenamed':
      case 'MachineReregistered':
      case 'HealthCheckPassed':
      case 'MachineProbeChanged':
        return
    }
  }

  #changePolicy(environmentId: string, event: Meta): void {
    const thresholds = this.#roster.thresholdsOf(environmentId)
    // Those of other partitions are not watched here, so nothing becomes of it.
    for (const { machineId } of this.#roster.membersOf(environmentId)) {
      this.#watchdog.setThresholds(machineId, thresholds)
      this.#settleChecks(machineId, event)
    }
  }

  /** A machine that is watched already keeps its silence, wherever it belongs now. */
  #goOnWatching(machineId: string): void {
    const listed = this.#roster.of(machineId)
    if (listed?.watched === true && this.#watchdog.isWatched(machineId))
      this.#watchdog.setThresholds(machineId, this.#roster.thresholdsOf(listed.environmentId))
    else this.#rewatch(machineId)
  }

  #rewatch(machineId: string): void {
    const listed = this.#roster.of(machineId)
    if (listed?.watched !== true) return this.#watchdog.unwatch(machineId)
    const thresholds = this.#roster.thresholdsOf(listed.environmentId)
    this.#watchdog.watch(machineId, listed.status, thresholds, this.#nowMs())
    const gatewayId = this.#early.heardBy(machineId, this.#nowMs() - thresholds.lateAfterMs)
    if (gatewayId !== null) void this.hear(machineId, gatewayId)
  }

  #settleChecks(machineId: string, event?: Meta): void {
    if (this.#watchdog.isWatched(machineId)) this.#checks.settle(machineId, this.#nowMs(), event)
  }

  /** Nobody watches it any more: what was known of it grows old, and must not be held against it. */
  #forget(machineId: string): void {
    this.#watchdog.unwatch(machineId)
    this.#checks.forget(machineId)
    void this.#record({ type: 'ForgetHealth', data: { machineId, at: this.#nowMs() } })
  }

  async #record(command: HealthRecord): Promise<void> {
    // What was not stored was not said: the machine is watched anew, from what is known of it.
    if (!(await this.#recorder.record(command))) this.#rewatch(command.data.machineId)
  }

  #nowMs(): number {
    return this.#platform.clock.steadyMs()
  }
}
