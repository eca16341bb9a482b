import type { Meta, Recorded } from '#contracts/message.ts'
import type { CheckSignal, HeartbeatSignal } from '#contracts/signals.ts'
import type { Platform } from '#libs/platform.ts'
import { Checks } from './checks.ts'
import { consequenceOf, type Followed } from './consequences.ts'
import type { HealthRecord } from './decider.ts'
import { Early } from './early.ts'
import type { Berths } from '#libs/outbound/berths.ts'
import type { Look } from './probing/look.ts'
import type { Rule } from './probing/probed.ts'
import { Prober } from './probing/prober.ts'
import { Recorder } from './recorder.ts'
import type { Roster } from './roster.ts'
import { Watchdog } from './watchdog.ts'

export interface PartitionOptions {
  /** Its store is that of the lease for this partition. */
  readonly platform: Platform
  readonly roster: Roster
  readonly observerId: string
  /** Whether a machine belongs to this partition. */
  readonly covers: (machineId: string) => boolean
  readonly look: Look
  readonly berths: Berths
}

/**
 * Watches the machines of one partition: joins the roster (whom to watch), the watchdog (who is silent), the prober (who
 * does not answer) and the record (what is a fact).
 */
export class Partition {
  readonly #platform: Platform
  readonly #roster: Roster
  readonly #covers: (machineId: string) => boolean
  readonly #recorder: Recorder
  readonly #checks: Checks
  readonly #early = new Early()
  /** Machines with an agent, which speak up by themselves. */
  readonly watchdog: Watchdog
  /** Machines without an agent. */
  readonly prober: Prober

  constructor({ platform, roster, observerId, covers, look, berths }: PartitionOptions) {
    this.#platform = platform
    this.#roster = roster
    this.#covers = covers
    this.watchdog = new Watchdog(observerId, platform.clock.steadyMs())
    this.#recorder = new Recorder(platform, roster)
    const record = (command: HealthRecord, event?: Meta) => this.#recorder.record(command, event)
    this.#checks = new Checks({ roster, observerId, record })
    this.prober = new Prober({ platform, observerId, look, berths, record: (command) => this.#record(command) })
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
    const heard = this.watchdog.hear(machineId, gatewayId, nowMs)
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
    if (this.watchdog.isWatched(signal.machineId)) void this.#checks.hear(signal, this.#nowMs())
  }

  async tick(): Promise<void> {
    this.prober.tick()
    await Promise.all(this.watchdog.tick(this.#nowMs()).map((due) => this.#record(due)))
  }

  /** Nobody listened for a while: that time counts as nobody's silence. */
  forgive(gapMs: number): void {
    this.watchdog.forgive(gapMs)
    this.prober.forgive(gapMs)
  }

  /** Machines could not be heard for a while: each has a whole grace again. See `Watchdog.grantGrace`. */
  grantGrace(gatewayId?: string): void {
    this.watchdog.grantGrace(this.#nowMs(), gatewayId)
    // No gateway stands between this process and machines that it looks at itself.
    if (gatewayId === undefined) this.prober.startAfresh()
  }

  /** Where the provider says that there is no such machine any more, it is enough that its heartbeat is late. */
  isSilent(machineId: string, rule?: Rule): boolean {
    const after = rule === 'terminated' ? 'lateAfterMs' : 'unavailableAfterMs'
    return this.watchdog.isSilent(machineId, this.#nowMs(), after) || this.prober.isSilent(machineId, rule)
  }

  silentMs(machineId: string): number | null {
    return this.watchdog.silentMs(machineId, this.#nowMs()) ?? this.prober.silentMs(machineId)
  }

  /** Keeps the watch in step with the roster, which knows of the event already, and with what has been recorded. */
  adjust(event: Recorded<Followed>): void {
    if ('machineId' in event.data && !this.#covers(event.data.machineId)) return
    const consequence = consequenceOf(event)
    switch (consequence.what) {
      case 'change-policy':
        return this.#changePolicy(consequence.environmentId, event.meta)
      case 'forget':
        return this.#forget(consequence.machineId)
      case 'go-on':
        this.#goOnWatching(consequence.machineId)
        return this.#settleChecks(consequence.machineId, event.meta)
      case 'settle-checks':
        return this.#settleChecks(consequence.machineId, event.meta)
      case 'change-probe':
        return this.#changeProbe(consequence.machineId)
      case 'correct':
        this.watchdog.correct(consequence.machineId, consequence.status)
        return this.prober.correct(consequence.machineId, consequence.status)
      case 'nothing':
        return
    }
  }

  #changePolicy(environmentId: string, event: Meta): void {
    const thresholds = this.#roster.thresholdsOf(environmentId)
    // Those of other partitions are not watched here, so nothing becomes of it.
    for (const { machineId } of this.#roster.membersOf(environmentId)) {
      this.watchdog.setThresholds(machineId, thresholds)
      this.prober.setPolicy(machineId, thresholds)
      this.#settleChecks(machineId, event)
    }
  }

  #changeProbe(machineId: string): void {
    const listed = this.#roster.of(machineId)
    if (listed?.watched === true) return
    if (listed?.probe === null) this.#forget(machineId)
    else this.#rewatch(machineId)
  }

  /** A machine that is watched already keeps its silence, wherever it belongs now. */
  #goOnWatching(machineId: string): void {
    const listed = this.#roster.of(machineId)
    if (listed === undefined) return
    const thresholds = this.#roster.thresholdsOf(listed.environmentId)
    if (listed.watched && this.watchdog.isWatched(machineId)) this.watchdog.setThresholds(machineId, thresholds)
    else if (listed.probe !== null && this.prober.isWatched(machineId)) this.prober.setPolicy(machineId, thresholds)
    else this.#rewatch(machineId)
  }

  #rewatch(machineId: string): void {
    const listed = this.#roster.of(machineId)
    this.#unwatch(machineId)
    if (listed === undefined) return
    const thresholds = this.#roster.thresholdsOf(listed.environmentId)
    if (listed.probe !== null) return this.prober.watch(machineId, listed.probe, thresholds, listed.status)
    if (!listed.watched) return
    this.watchdog.watch(machineId, listed.status, thresholds, this.#nowMs())
    const gatewayId = this.#early.heardBy(machineId, this.#nowMs() - thresholds.lateAfterMs)
    if (gatewayId !== null) void this.hear(machineId, gatewayId)
  }

  #settleChecks(machineId: string, event?: Meta): void {
    if (this.watchdog.isWatched(machineId)) this.#checks.settle(machineId, this.#nowMs(), event)
  }

  /** Nobody watches it any more: what was known of it grows old, and must not be held against it. */
  #forget(machineId: string): void {
    this.#unwatch(machineId)
    this.#checks.forget(machineId)
    void this.#record({ type: 'ForgetHealth', data: { machineId, at: this.#nowMs() } })
  }

  #unwatch(machineId: string): void {
    this.watchdog.unwatch(machineId)
    this.prober.unwatch(machineId)
  }

  /** What was not stored was not said: the machine is watched anew, from what is known of it. */
  async #record(command: HealthRecord): Promise<void> {
    if (!(await this.#recorder.record(command))) this.#rewatch(command.data.machineId)
  }

  #nowMs(): number {
    return this.#platform.clock.steadyMs()
  }
}
