import { findingCharsMax, type CheckLevel, type Finding, type HealthEvidence } from '#contracts/health.ts'
import type { Meta } from '#contracts/message.ts'
import type { CheckSignal } from '#contracts/signals.ts'
import type { HealthRecord } from './decider.ts'
import type { Roster } from './roster.ts'

export interface ChecksNeeds {
  readonly roster: Roster
  readonly observerId: string
  /** False when it could not be stored. */
  readonly record: (command: HealthRecord, event?: Meta) => Promise<boolean>
}

const findings = { ok: 'answered', warning: 'check-warned', failure: 'check-failed' } as const
const noLongerMade = 'this check is no longer made on the machine'

/**
 * What the checks of a partition's machines have found. Every run of a check is told, and nearly all say the same as
 * the one before: those cost a look into memory. What is remembered is only what was given to the record from here,
 * so the first word of every check goes there, whatever others have recorded before.
 */
export class Checks {
  readonly #needs: ChecksNeeds
  readonly #levels = new Map<string, Map<string, CheckLevel>>()

  constructor(needs: ChecksNeeds) {
    this.#needs = needs
  }

  /** A promise only when it is not what the check has said before. */
  hear(signal: CheckSignal, nowMs: number): Promise<void> | undefined {
    const { machineId, check, level } = signal
    if (this.#levels.get(machineId)?.get(check) === level) return undefined
    // The news that it is no longer made was quicker than what it had found before.
    if (!this.#needs.roster.makesCheck(machineId, check)) return undefined
    const { output, timedOut } = signal
    const finding: Finding = timedOut ? 'timed-out' : findings[level]
    return this.#judge({ machineId, check, level, finding, detail: output.slice(0, findingCharsMax) }, nowMs)
  }

  /** Checks that are no longer made on a machine, and had not passed, are of no account any more. */
  settle(machineId: string, nowMs: number, event?: Meta): void {
    const { roster } = this.#needs
    for (const check of roster.failingOf(machineId)) {
      if (roster.makesCheck(machineId, check)) continue
      this.#levels.get(machineId)?.delete(check)
      void this.#judge({ machineId, check, level: 'ok', detail: noLongerMade }, nowMs, event)
    }
  }

  /** Nobody watches the machine any more, and its record begins anew. */
  forget(machineId: string): void {
    this.#levels.delete(machineId)
  }

  async #judge({ machineId, check, level, ...found }: Found, nowMs: number, event?: Meta): Promise<void> {
    const { observerId, record } = this.#needs
    const levels = this.#levels.get(machineId) ?? new Map<string, CheckLevel>()
    // Before it is stored, since what comes next may come sooner than that; the record keeps the order.
    this.#levels.set(machineId, levels.set(check, level))
    const lastHeardAt = found.finding === undefined ? null : nowMs
    const seen = { lastHeardAt, silentMs: 0, thresholdMs: null, observerId }
    const evidence: HealthEvidence = { kind: 'script-check', ...found, ...seen }
    const command: HealthRecord = { type: 'RecordCheck', data: { machineId, at: nowMs, evidence, check, level } }
    if (!(await record(command, event))) levels.delete(check)
  }
}

interface Found extends Pick<HealthEvidence, 'finding' | 'detail'> {
  readonly machineId: string
  readonly check: string
  readonly level: CheckLevel
}
