import type { EnvironmentEvent } from '#contracts/environment.ts'
import { HealthEvent } from '#contracts/health.ts'
import type { MachineEvent } from '#contracts/machine.ts'
import type { Cause, Recorded } from '#contracts/message.ts'
import { categoryOf, healthStream } from '#contracts/subjects.ts'
import { createHandler } from '#libs/handle.ts'
import type { Platform } from '#libs/platform.ts'
import { health, type HealthRecord } from './decider.ts'
import { Early } from './early.ts'
import { Roster } from './roster.ts'
import { Watchdog } from './watchdog.ts'

type Followed = MachineEvent | HealthEvent | EnvironmentEvent
const followed = new Set(['machine', 'health', 'environment'])

/** Joins the roster (whom to watch), the watchdog (who is silent) and the record (what is a fact). */
export class Monitor {
  readonly roster = new Roster()
  readonly #platform: Platform
  readonly #watchdog: Watchdog
  readonly #records
  readonly #early = new Early()
  #live = false

  constructor(platform: Platform, observerId: string) {
    const { store, clock } = platform
    this.#platform = platform
    this.#watchdog = new Watchdog(observerId, clock.steadyMs())
    this.#records = createHandler({ store, clock, decider: health, schema: HealthEvent })
  }

  /** Takes in the next events of the store, in order. */
  follow(events: readonly Recorded[]): void {
    for (const event of events) {
      if (!followed.has(categoryOf(event.meta.stream))) continue
      this.roster.apply(event as Recorded<Followed>)
      if (this.#live) this.#adjust(event as Recorded<Followed>)
    }
  }

  /** From here on silence counts; every machine starts with a whole grace. */
  goLive(): void {
    this.#live = true
    for (const { machineId, isStale } of this.roster.all()) {
      if (isStale) this.#forget(machineId)
      this.#rewatch(machineId)
    }
  }

  /** A promise only when something had to be recorded: most signs of life change nothing. */
  hear(machineId: string, nowMs = this.#nowMs()): Promise<void> | undefined {
    const heard = this.#watchdog.hear(machineId, nowMs)
    if (heard === null) return undefined
    if (heard !== 'not-watched') return this.#record(heard)
    this.#early.heard(machineId, nowMs)
    return undefined
  }

  /** Many at once: the clock is read once for all of them. */
  hearAll(machineIds: readonly string[]): void {
    const nowMs = this.#nowMs()
    for (const machineId of machineIds) void this.hear(machineId, nowMs)
  }

  async tick(): Promise<void> {
    await Promise.all(this.#watchdog.tick(this.#nowMs()).map((due) => this.#record(due)))
  }

  /** Nobody listened for a while: that time counts as nobody's silence. */
  forgive(gapMs: number): void {
    this.#watchdog.forgive(gapMs)
  }

  isSilent(machineId: string): boolean {
    return this.#watchdog.isSilent(machineId, this.#nowMs())
  }

  silentMs(machineId: string): number | null {
    return this.#watchdog.silentMs(machineId, this.#nowMs())
  }

  /** Keeps the watch in step with the roster, and with what has been recorded. */
  #adjust(event: Recorded<Followed>): void {
    switch (event.type) {
      case 'EnvironmentPolicyChanged':
        return this.#changeThresholds(event.data.environmentId)
      case 'MachineDeregistered':
      case 'MachineDisabled':
        return this.#forget(event.data.machineId)
      case 'MachineRegistered':
      case 'MachineRestored':
      case 'MachineChanged':
      case 'MachineEnabled':
        return this.#goOnWatching(event.data.machineId)
      case 'MachineBecameHealthy':
        return this.#watchdog.correct(event.data.machineId, 'healthy')
      case 'MachineBecameUnavailable':
        return this.#watchdog.correct(event.data.machineId, 'unavailable')
      case 'HealthForgotten':
        return this.#watchdog.correct(event.data.machineId, 'unknown')
      case 'EnvironmentCreated':
      case 'EnvironmentRenamed':
      case 'MachineReregistered':
      case 'HealthCheckFailed':
        return
    }
  }

  #changeThresholds(environmentId: string): void {
    const thresholds = this.roster.thresholdsOf(environmentId)
    for (const { machineId } of this.roster.membersOf(environmentId))
      this.#watchdog.setThresholds(machineId, thresholds)
  }

  /** A machine that is watched already keeps its silence, wherever it belongs now. */
  #goOnWatching(machineId: string): void {
    const listed = this.roster.of(machineId)
    if (listed?.watched === true && this.#watchdog.isWatched(machineId))
      this.#watchdog.setThresholds(machineId, this.roster.thresholdsOf(listed.environmentId))
    else this.#rewatch(machineId)
  }

  #rewatch(machineId: string): void {
    const listed = this.roster.of(machineId)
    if (listed?.watched !== true) return this.#watchdog.unwatch(machineId)
    const thresholds = this.roster.thresholdsOf(listed.environmentId)
    this.#watchdog.watch(machineId, listed.status, thresholds, this.#nowMs())
    if (this.#early.wasHeard(machineId, this.#nowMs() - thresholds.lateAfterMs)) void this.hear(machineId)
  }

  /** Nobody watches it any more: what was known of it grows old, and must not be held against it. */
  #forget(machineId: string): void {
    this.#watchdog.unwatch(machineId)
    void this.#record({ type: 'ForgetHealth', data: { machineId, at: this.#nowMs() } })
  }

  async #record(command: HealthRecord): Promise<void> {
    const { machineId } = command.data
    try {
      await this.#records.handle(healthStream(machineId), command, this.#causeOf(command))
    } catch (error) {
      this.#platform.log.error({ error, machineId }, 'a change of health could not be stored')
      // What was not stored was not said: the machine is watched anew, from what is known of it.
      this.#rewatch(machineId)
    }
  }

  #causeOf({ type, data: { machineId } }: HealthRecord): Cause {
    const commandId = this.#platform.clock.id()
    // A machine's own sign of life starts something new; silence only follows from what was known of it.
    if (type === 'RecordHeard')
      return { actor: `machine:${machineId}`, commandId, correlationId: commandId, causationId: null }
    const listed = this.roster.of(machineId)
    const correlationId = listed?.correlationId ?? commandId
    return { actor: 'service:health', commandId, correlationId, causationId: listed?.causationId ?? null }
  }

  #nowMs(): number {
    return this.#platform.clock.steadyMs()
  }
}
