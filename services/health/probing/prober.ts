import type { HealthStatus } from '#contracts/health.ts'
import type { Probe } from '#contracts/probe.ts'
import { createWheel } from '../wheel.ts'
import { unseen, type Verdict } from './classify.ts'
import { Observed } from './observed.ts'
import {
  probed,
  recordOf,
  within,
  type Looked,
  type LookedNow,
  type Probed,
  type ProberOptions,
  type ProbingPolicy,
  type Rule,
} from './probed.ts'
import { dueAfter, dueAgain } from './schedule.ts'
import { corrected, count, forgiven } from './tally.ts'

/** Whoever asks for a look now does not wait for longer than a request over HTTP may take. */
const lookNowMaxMs = 8_000
const complainEveryMs = 60_000
/** Whoever was not looked at for so long after its turn waits for the next, or all would be looked at at once after a stall. */
const placeLostMs = 2_000

/**
 * Looks at machines that have no agent, each at its own place in the interval, and counts what it finds. As with
 * heartbeats only time in which this observer was observing counts as silence.
 */
export class Prober {
  readonly #options: ProberOptions
  readonly #machines = new Map<string, Probed>()
  readonly #wheel
  readonly #observed: Observed
  #complainedMs = -Infinity

  constructor(options: ProberOptions) {
    this.#options = options
    const { clock } = options.platform
    this.#observed = new Observed(clock)
    this.#wheel = createWheel<Probed>(clock.steadyMs())
  }

  /** Begins to look at a machine, or begins anew. It waits for its place in the interval, also after a restart. */
  watch(machineId: string, probe: Probe, policy: ProbingPolicy, status: HealthStatus): void {
    this.unwatch(machineId)
    const machine = probed({ machineId, probe, policy }, status, this.#observed.era, this.#observed.ms)
    this.#machines.set(machineId, machine)
    this.#lookLater(machine, this.#placeAfter(machine, this.#nowMs()))
  }

  /** What a look that is under way will find is of nobody's interest any more. */
  unwatch(machineId: string): void {
    const machine = this.#machines.get(machineId)
    if (machine === undefined) return
    this.#wheel.remove(machine)
    this.#machines.delete(machineId)
    machine.cancel.abort()
  }

  stop(): void {
    for (const machineId of this.#machines.keys()) this.unwatch(machineId)
  }

  isWatched(machineId: string): boolean {
    return this.#machines.has(machineId)
  }

  setPolicy(machineId: string, policy: ProbingPolicy): void {
    const machine = this.#machines.get(machineId)
    if (machine === undefined) return
    machine.policy = policy
    this.#lookLater(machine, this.#placeAfter(machine, this.#nowMs()))
  }

  correct(machineId: string, status: HealthStatus): void {
    const machine = this.#machines.get(machineId)
    if (machine !== undefined) machine.tally = corrected(machine.tally, status)
  }

  /** Nobody observed for a while, so nobody was silent for that while either. */
  forgive(gapMs: number): void {
    this.#observed.forgive(gapMs)
  }

  /** From now on only what is seen from now on counts against a machine. */
  startAfresh(): void {
    this.#observed.startAfresh()
  }

  /** Time has passed: whose turn is it? */
  tick(): void {
    const nowMs = this.#nowMs()
    for (const machine of this.#wheel.advance(nowMs)) {
      if (machine.dueMs > nowMs) this.#lookLater(machine, machine.dueMs)
      else if (nowMs - machine.dueMs > placeLostMs) this.#lookLater(machine, this.#placeAfter(machine, nowMs))
      else this.#comeDue(machine, nowMs)
    }
  }

  silentMs(machineId: string): number | null {
    const machine = this.#machines.get(machineId)
    return machine === undefined ? null : this.#silenceOf(machine)
  }

  /** Whether it was found silent often enough, since this observer last could not look, to be removed by this rule. */
  isSilent(machineId: string, rule: Rule): boolean {
    const machine = this.#machines.get(machineId)
    if (machine === undefined) return false
    const { silences } = this.#current(machine)
    // Where the cloud says that the machine is gone, seeing it once is enough.
    return silences >= (rule === 'terminated' ? 1 : machine.policy.failuresToGoDown)
  }

  /** Looks at once, or waits for the look that is under way; null for a machine that is not looked at. */
  async lookNow(machineId: string): Promise<LookedNow | null> {
    const machine = this.#machines.get(machineId)
    if (machine === undefined) return null
    const looking = machine.underWay ?? this.#begin(machine, false)
    const looked = await within(this.#options.platform.clock, lookNowMaxMs, looking)
    return { ...looked, status: machine.tally.status }
  }

  #comeDue(machine: Probed, nowMs: number): void {
    this.#lookLater(machine, this.#placeAfter(machine, nowMs))
    if (machine.underWay === null) void this.#begin(machine, true)
    else if (nowMs - this.#complainedMs > complainEveryMs) {
      this.#complainedMs = nowMs
      const advice = 'machines are looked at less often than they should be; raise REMUDA_PROBES_AT_ONCE_MAX'
      this.#options.platform.log.warn({ machineId: machine.machineId }, advice)
    }
  }

  /** @param isScheduled whether it is the machine's turn; looks that somebody asks for come as close as they like */
  #begin(machine: Probed, isScheduled: boolean): Promise<Looked> {
    const looking = this.#options.berths
      .run(() => this.#look(machine, isScheduled), !isScheduled)
      .finally(() => (machine.underWay = null))
    machine.underWay = looking
    return looking
  }

  async #look(machine: Probed, isScheduled: boolean): Promise<Looked> {
    const { machineId, probe, policy, cancel } = machine
    if (cancel.signal.aborted) return { verdict: unseen('nobody asks any more'), roundTripMs: 0 }
    const beganMs = this.#nowMs()
    const { era } = this.#observed
    if (isScheduled) this.#lookLater(machine, dueAgain(machineId, policy.probeEveryMs, beganMs))
    const timeoutMs = isScheduled ? policy.probeTimeoutMs : Math.min(policy.probeTimeoutMs, lookNowMaxMs)
    const verdict = await this.#options.look(probe, timeoutMs, cancel.signal)
    const mayCount = verdict.reach === 'answers' || (isScheduled && era === this.#observed.era)
    if (mayCount && !cancel.signal.aborted) await this.#count(machine, verdict)
    return { verdict, roundTripMs: this.#nowMs() - beganMs }
  }

  async #count(machine: Probed, verdict: Verdict): Promise<void> {
    const [tally, changes] = count(this.#current(machine), verdict, machine.policy)
    const silentMs = this.#silenceOf(machine)
    machine.tally = tally
    const nowMs = this.#nowMs()
    const { observerId, record } = this.#options
    const commands = changes.map((change) => recordOf(machine, change, verdict, { observerId, nowMs, silentMs }))
    if (verdict.reach === 'answers') {
      machine.lastHeardAt = nowMs
      machine.silentSince = this.#observed.ms
    }
    for (const command of commands) {
      await record(command)
      // What could not be stored makes the watch begin anew; the rest would be half the truth.
      if (machine.cancel.signal.aborted) return
    }
  }

  /** What counts of its tally in the present era. */
  #current(machine: Probed) {
    if (machine.era !== this.#observed.era) machine.tally = forgiven(machine.tally)
    machine.era = this.#observed.era
    return machine.tally
  }

  #placeAfter({ machineId, policy }: Probed, afterMs: number): number {
    return dueAfter(machineId, policy.probeEveryMs, afterMs)
  }

  #lookLater(machine: Probed, dueMs: number): void {
    machine.dueMs = dueMs
    this.#wheel.schedule(machine, dueMs)
  }

  #silenceOf({ silentSince }: Probed): number {
    return Math.max(0, Math.round(this.#observed.ms - silentSince))
  }

  #nowMs(): number {
    return this.#options.platform.clock.steadyMs()
  }
}
