import { z } from 'zod'
import { GapReason } from './health.ts'
import { FailureDomain } from './policy.ts'
import { MachineRow } from './rows.ts'

// What the query API answers of the fleet beyond its machines: what goes wrong together, and what was not seen.
const at = z.string()

/** How long a machine has not answered: by the wall, and how much of it was observed, which alone counts. */
export const Silence = z.object({ since: at, goneMs: z.number(), observedMs: z.number() })
export type Silence = z.infer<typeof Silence>

export const MachineDetail = MachineRow.extend({
  /** null while the machine answers, or is not watched. */
  silence: Silence.nullable(),
})
export type MachineDetail = z.infer<typeof MachineDetail>

export const RemovedMachineRow = MachineRow.extend({
  /** The decision of the policy that removed it, which can be taken back; null where somebody else did. */
  decisionId: z.string().nullable(),
  /** Who has its name there now, and since when; null where it is free. */
  nameHolder: z.object({ machineId: z.string(), since: at }).nullable(),
  /** Whether it is let in again when it answers, without anybody asking for it. */
  returnsByItself: z.boolean(),
})
export type RemovedMachineRow = z.infer<typeof RemovedMachineRow>

/** Some of many machines: all are counted, the first are named. */
const machines = z.object({ count: z.number(), machineIds: z.array(z.string()).readonly() })

export const IncidentRow = z.object({
  id: z.string(),
  environmentId: z.string(),
  domain: FailureDomain,
  state: z.enum(['open', 'closed']),
  detectedAt: at,
  clearedAt: at.nullable(),
  clearedBy: z.string().nullable(),
  /** How it stood when it was detected. */
  unavailable: z.number(),
  registered: z.number(),
  share: z.number(),
  thresholdShare: z.number(),
  policyVersion: z.number(),
  /** The machines that went silent together. */
  silent: machines,
  /** The machines whose removal it has held back. */
  held: machines,
})
export type IncidentRow = z.infer<typeof IncidentRow>

export const ObservationGapRow = z.object({
  id: z.string(),
  observer: z.string(),
  reason: GapReason,
  /** By the steady clock, which the silence of machines is measured with. */
  startedAt: at,
  /** null while it lasts. */
  endedAt: at.nullable(),
})
export type ObservationGapRow = z.infer<typeof ObservationGapRow>

/** One event of those that led to something. */
export const Link = z.object({
  position: z.number(),
  type: z.string(),
  stream: z.string(),
  at,
  actor: z.string(),
  sentence: z.string(),
})
export type Link = z.infer<typeof Link>
