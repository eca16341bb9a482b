import { isDeepStrictEqual } from 'node:util'
import type { AgentCheck, AgentFrame } from '#contracts/agent.ts'
import type { Timer } from '#libs/clock.ts'
import type { AgentPorts } from '../ports.ts'
import type { AgentSettings } from '../settings.ts'
import { setAlarm } from './alarm.ts'
import { Printed, resultOf, type CheckResult } from './result.ts'

export interface ChecksNeeds extends Pick<AgentPorts, 'clock' | 'log' | 'checkRunner'> {
  readonly settings: Pick<AgentSettings, 'checksMax'>
}

interface Planned {
  readonly check: AgentCheck
  readonly machineId: string
  /** Aborted once the check is no longer to be made. */
  readonly dropped: AbortController
  /** Until it is to be made next; null while it waits for its turn or runs. */
  alarm: Timer | null
  latest: CheckResult | null
}

/**
 * The checks of this machine, which it makes of its own accord for as long as the server wants them, also while it
 * cannot reach the server. They have a room of their own, so that no task waits for a check.
 */
export class Checks {
  readonly #needs: ChecksNeeds
  readonly #planned = new Map<string, Planned>()
  /** Those that are due, in the order they became so. */
  #waiting: Planned[] = []
  /** By name, so that a check never overlaps itself, nor what it was before the policy changed. */
  readonly #running = new Map<string, Promise<void>>()
  #isStopping = false
  #send: ((frame: AgentFrame) => void) | null = null

  constructor(needs: ChecksNeeds) {
    this.#needs = needs
  }

  /** These are to be made from now on, and no others. What stays as it was keeps its time and its latest result. */
  set(machineId: string, checks: readonly AgentCheck[]): void {
    if (this.#isStopping) return
    const wanted = new Map(checks.map((check) => [check.name, check]))
    for (const planned of [...this.#planned.values()]) {
      const isSame = planned.machineId === machineId && isDeepStrictEqual(wanted.get(planned.check.name), planned.check)
      if (!isSame) this.#drop(planned)
    }
    for (const check of wanted.values()) {
      if (this.#planned.has(check.name)) continue
      const planned = { check, machineId, dropped: new AbortController(), alarm: null, latest: null }
      this.#planned.set(check.name, planned)
      this.#plan(planned)
    }
  }

  /** There is a connection: what each check has found last goes out through it, and all that it finds from now on. */
  attach(send: (frame: AgentFrame) => void): void {
    this.#send = send
    for (const { latest } of this.#planned.values()) if (latest !== null) send(latest)
  }

  detach(): void {
    this.#send = null
  }

  /** Resolves when nothing runs any more, nor ever will. */
  async stop(): Promise<void> {
    this.set('', [])
    this.#isStopping = true
    await Promise.all(this.#running.values())
  }

  #plan(planned: Planned): void {
    const { clock, log } = this.#needs
    const { check, machineId } = planned
    planned.alarm = setAlarm(clock, check, machineId, () => {
      planned.alarm = null
      this.#waiting.push(planned)
      this.#startNext()
    })
    if (planned.alarm === null) log.warn({ check: check.name }, 'a check is never made: its policy does not say when')
  }

  #drop(planned: Planned): void {
    this.#planned.delete(planned.check.name)
    this.#waiting = this.#waiting.filter((other) => other !== planned)
    planned.alarm?.cancel()
    planned.dropped.abort('cancelled')
  }

  #startNext(): void {
    const isFree = ({ check }: Planned) => !this.#running.has(check.name)
    while (this.#running.size < this.#needs.settings.checksMax) {
      const at = this.#waiting.findIndex(isFree)
      if (at < 0) return
      const [planned] = this.#waiting.splice(at, 1)
      this.#running.set(planned!.check.name, this.#run(planned!))
    }
  }

  async #run(planned: Planned): Promise<void> {
    const { check, dropped } = planned
    const result = await this.#tryUntilOk(check, dropped.signal)
    this.#running.delete(check.name)
    if (!dropped.signal.aborted) {
      this.#tell(planned, result)
      this.#plan(planned)
    }
    this.#startNext()
  }

  /** Only the last try is told. */
  async #tryUntilOk(check: AgentCheck, signal: AbortSignal): Promise<CheckResult> {
    let result = await this.#try(check, signal)
    for (let left = check.retries; left > 0 && result.level !== 'ok' && !signal.aborted; left--)
      result = await this.#try(check, signal)
    return result
  }

  async #try(check: AgentCheck, signal: AbortSignal): Promise<CheckResult> {
    const { clock, checkRunner } = this.#needs
    const startedMs = clock.steadyMs()
    const printed = new Printed()
    const end = await checkRunner.run(check, { signal, output: printed.write })
    return resultOf(check, end, printed.text, clock.steadyMs() - startedMs)
  }

  #tell(planned: Planned, result: CheckResult): void {
    const { check, level, exitCode } = result
    const before = planned.latest?.level ?? 'ok'
    planned.latest = result
    this.#send?.(result)
    if (level === before) return
    if (level === 'ok') this.#needs.log.info({ check }, 'a check of this machine passes again')
    else this.#needs.log.warn({ check, exitCode }, `a check of this machine says ${level}`)
  }
}
