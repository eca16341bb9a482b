import type { CheckSignal, HeartbeatSignal } from '#contracts/signals.ts'
import { checkSignal, heartbeatSignal } from '#contracts/subjects.ts'
import type { Lease } from '#libs/leases/leases.ts'
import type { Platform } from '#libs/platform.ts'
import { Gateways } from './gateways.ts'
import { startInbox } from './inbox.ts'
import { createObservation, type Observation } from './observer/observation.ts'
import type { Partition } from './partition.ts'
import type { Roster } from './roster.ts'

export interface ListeningSettings {
  readonly tickMs?: number
  /** A tick that comes later than this means that the process did not run, and so did not listen. */
  readonly stallMs?: number
  /** After how long without a word from any gateway nobody can be heard. They speak up every second. */
  readonly deafAfterMs?: number
  /** After how long without a word nothing is concluded for the moment: it may be deafness that begins. */
  readonly hushMaxMs?: number
}

const defaults = { tickMs: 250, stallMs: 5_000, deafAfterMs: 5_000, hushMaxMs: 2_000 }

interface Place extends ListeningSettings {
  /** Names the observer in evidence and gaps; stays the same over restarts and changes of hands. */
  readonly observerId: string
  /** Observers of earlier days that nobody is any more. */
  readonly former: readonly string[]
  readonly lease: Lease
  readonly roster: Roster
}

/**
 * Listens for the machines of a partition, and keeps the record of when it did: it begins by closing the gap since
 * somebody last did.
 */
export async function startListening(platform: Platform, partition: Partition, place: Place): Promise<Listening> {
  for (const observerId of place.former) await createObservation(platform, observerId).conclude()
  const observation = createObservation(platform, place.observerId)
  await observation.begin()
  return new Listening(platform, partition, observation, place)
}

export class Listening {
  readonly #platform: Platform
  readonly #partition: Partition
  readonly #observation: Observation
  readonly #settings: typeof defaults
  readonly #gateways: Gateways
  readonly #subscriptions: readonly { stop(): void }[]
  #timer
  #lastMs: number
  #isDeaf = false

  constructor(platform: Platform, partition: Partition, observation: Observation, { lease, roster, ...given }: Place) {
    const { bus, clock } = platform
    this.#platform = platform
    this.#partition = partition
    this.#observation = observation
    this.#settings = { ...defaults, ...given }
    this.#gateways = new Gateways(clock, this.#settings.deafAfterMs)
    this.#lastMs = clock.steadyMs()
    this.#subscriptions = [
      bus.subscribe(heartbeatSignal(lease.partition), ({ payload }) => this.#hear(payload as HeartbeatSignal)),
      bus.subscribe(checkSignal(lease.partition), ({ payload }) => partition.hearCheck(payload as CheckSignal)),
      startInbox(platform, { roster, partition, gateways: () => this.#gateways.present() }, String(lease.partition)),
    ]
    this.#timer = clock.timer(this.#settings.tickMs, () => this.#tick())
  }

  /** Says that nobody listens from now on. */
  async stop(): Promise<void> {
    this.#endQuietly()
    await this.#observation.stop()
  }

  /** Somebody else listens by now, and keeps the record. */
  async abandon(): Promise<void> {
    this.#endQuietly()
    this.#observation.abandon()
  }

  #endQuietly(): void {
    this.#timer.cancel()
    for (const subscription of this.#subscriptions) subscription.stop()
  }

  #hear(signal: HeartbeatSignal): void {
    const hushMs = this.#gateways.spoke(signal.gatewayId)
    // It was too short for a gap in the record, but whoever was silent in it was so because of us.
    if (hushMs > this.#settings.hushMaxMs && !this.#isDeaf) this.#partition.forgive(hushMs)
    this.#partition.hearAll(signal)
  }

  /** A late tick is a time in which we did not listen: it is recorded and nobody is charged for it. */
  #tick(): void {
    const { clock, log } = this.#platform
    const { tickMs, stallMs } = this.#settings
    const now = clock.steadyMs()
    const pauseMs = now - this.#lastMs - tickMs
    if (pauseMs > tickMs) {
      this.#partition.forgive(pauseMs)
      this.#gateways.forgive(pauseMs)
    }
    if (pauseMs > stallMs) {
      log.warn({ pauseMs }, 'the process did not run for a while; no machine is charged for that time')
      this.#record(this.#observation.missed('stalled', this.#lastMs, now))
    }
    if (this.#isUnableToHear(now)) this.#partition.forgive(Math.min(now - this.#lastMs, tickMs))
    else if (this.#gateways.hushMs() <= this.#settings.hushMaxMs) void this.#partition.tick()
    this.#lastMs = now
    this.#timer = clock.timer(tickMs, () => this.#tick())
  }

  /** While no gateway speaks, nothing is concluded; afterwards every machine has a whole grace. */
  #isUnableToHear(now: number): boolean {
    const { log } = this.#platform
    const since = this.#gateways.deafSince()
    if (since !== null && !this.#isDeaf) {
      log.warn('no gateway can be heard; no machine is charged for that time')
      this.#partition.forgive(this.#lastMs - since)
      this.#record(this.#observation.start('deaf', since))
    }
    if (since === null && this.#isDeaf) {
      log.info('gateways can be heard again')
      this.#partition.grantGrace()
      this.#record(this.#observation.end(now))
    }
    this.#isDeaf = since !== null
    for (const gatewayId of this.#gateways.lost()) {
      log.warn({ gatewayId }, 'a gateway has fallen silent; its machines have time to come back by another')
      this.#partition.grantGrace(gatewayId)
    }
    return this.#isDeaf
  }

  #record(recorded: Promise<void>): void {
    recorded.catch((error: unknown) => this.#platform.log.error({ error }, 'a gap could not be recorded'))
  }
}
