import type { HealthCommand, HealthEvidence, HealthStatus } from '#contracts/health.ts'
import type { EnvironmentPolicy } from '#contracts/policySettings.ts'
import type { Probe } from '#contracts/probe.ts'
import type { Clock } from '#libs/clock.ts'
import type { Platform } from '#libs/platform.ts'
import type { HealthRecord } from '../decider.ts'
import type { Timed } from '../wheel.ts'
import type { Berths } from '#libs/outbound/berths.ts'
import { unseen, type Verdict } from './classify.ts'
import type { Look } from './look.ts'
import { tallyOf, type Change, type Tally } from './tally.ts'

export interface ProberOptions {
  readonly platform: Platform
  readonly observerId: string
  readonly look: Look
  /** How many looks are under way at once in this process, whoever asks for them. */
  readonly berths: Berths
  readonly record: (command: HealthRecord) => Promise<void>
}

/** What makes a removal due that is to be confirmed. */
export type Rule = Extract<HealthCommand, { type: 'ConfirmUnavailable' }>['data']['rule']

export type ProbingPolicy = Pick<
  EnvironmentPolicy['health'],
  'probeEveryMs' | 'probeTimeoutMs' | 'failuresToGoDown' | 'passesToComeBack'
>

/** A machine that is looked at, from one change of it to the next. */
export interface Probed extends Timed {
  readonly machineId: string
  readonly probe: Probe
  policy: ProbingPolicy
  tally: Tally
  /** Of the time without a break in which what the tally counts was seen. */
  era: number
  dueMs: number
  /** The look that is under way or waits for its turn. */
  underWay: Promise<Looked> | null
  readonly cancel: AbortController
  /** When it last answered, by the steady clock; null when it has not, as far as this observer knows. */
  lastHeardAt: number | null
  /** From when on its silence counts, in time that was observed. */
  silentSince: number
}

/** What a look came to. */
export interface Looked {
  readonly verdict: Verdict
  readonly roundTripMs: number
}

/** What a look comes to, if it does so in time: it may have to wait for its turn. */
export async function within(clock: Clock, waitMaxMs: number, looking: Promise<Looked>): Promise<Looked> {
  const enough = new AbortController()
  const late: Looked = { verdict: unseen('no look came to an end in time'), roundTripMs: waitMaxMs }
  const looked = await Promise.race([looking, clock.sleep(waitMaxMs, enough.signal).then(() => late)])
  enough.abort()
  return looked
}

/** The same of a look that somebody asked for. */
export type LookedNow = Looked & { readonly status: HealthStatus }

type Subject = Pick<Probed, 'machineId' | 'probe' | 'policy'>

export const probed = (subject: Subject, status: HealthStatus, era: number, observedMs: number): Probed => ({
  ...{ ...subject, era, tally: tallyOf(status), dueMs: 0, slot: -1 },
  ...{ underWay: null, cancel: new AbortController(), lastHeardAt: null, silentSince: observedMs },
})

export interface Observation {
  readonly observerId: string
  readonly nowMs: number
  readonly silentMs: number
}

/** The command that records a change, with what it rests on. */
export function recordOf(
  { machineId, lastHeardAt }: Probed,
  change: Change,
  { finding, detail }: Verdict,
  { observerId, nowMs, silentMs }: Observation,
): HealthRecord {
  const { times } = change
  const found = { detail, times, ...(finding === null ? {} : { finding }) }
  const evidence: HealthEvidence = { kind: 'probe', ...found, lastHeardAt, silentMs, thresholdMs: null, observerId }
  const data = { machineId, at: nowMs, evidence }
  switch (change.type) {
    case 'heard':
      return { type: 'RecordHeard', data }
    case 'silent':
      return { type: 'RecordSilent', data }
    case 'check':
      return { type: 'RecordCheck', data: { ...data, check: 'probe', level: change.level } }
  }
}
