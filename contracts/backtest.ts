import { z } from 'zod'
import { durationMs, environmentId, instantMs, machineId } from './ids.ts'
import { DeferralClause, FailureDomain } from './policy.ts'

const count = z.number().int().nonnegative()
const about = { machineId, name: z.string(), at: instantMs }

/** A list that may be long: how many there are in all, and the first of them. */
const listOf = <Item extends z.ZodType>(item: Item) => z.object({ count, items: z.array(item).readonly() }).readonly()

const Removed = z.object({
  ...about,
  rule: z.enum(['unavailable', 'not-contactable', 'terminated']),
  observedMs: durationMs,
  /** What was decided in one look has one name. */
  decision: z.string(),
  /** How long after its removal the machine was heard again; null when it was not. */
  returnedAfterMs: durationMs.nullable(),
})

/** How a removal ceased to be held back; `removed`: it was carried out. */
const Ending = z.enum(['recovery', 'person', 'rate', 'removed'])
const ended = { until: instantMs.nullable(), how: Ending.nullable() }

const Withheld = z.object({ ...about, share: z.number(), domain: FailureDomain, ...ended })
const Deferred = z.object({ ...about, clause: DeferralClause, ...ended })
const Incident = z.object({
  domain: FailureDomain,
  at: instantMs,
  machines: count,
  share: z.number(),
  until: instantMs.nullable(),
  how: z.enum(['recovery', 'removal', 'policy']).nullable(),
})

/** What a policy did, or would have done. Instants are of the wall clock. */
const Outcome = z.object({
  removed: listOf(Removed),
  withheld: listOf(Withheld),
  deferred: listOf(Deferred),
  incidents: listOf(Incident),
  /** Of the removed: those that were heard again so soon that they had better been kept. */
  returnedWithinHour: count,
})
export type Outcome = z.infer<typeof Outcome>

const alone = listOf(z.object(about))
const Difference = z.object({
  onlyProposed: alone,
  onlyActual: alone,
  both: listOf(z.object({ ...about, actualAt: instantMs, /** More than 0: later. */ differenceMs: z.number().int() })),
})
export type Difference = z.infer<typeof Difference>

/** What a backtest cannot know, said where it matters. */
const Caveat = z.enum(['health-as-recorded', 'provider-not-asked', 'lists-cut'])
export type Caveat = z.infer<typeof Caveat>

export const BacktestReply = z.object({
  environmentId,
  fromAt: instantMs,
  toAt: instantMs,
  /** How many events were read, up to which position. */
  events: count,
  position: count,
  proposed: Outcome,
  actual: Outcome,
  difference: z.object({ removed: Difference, withheld: Difference }),
  caveats: z.array(Caveat).readonly(),
})
export type BacktestReply = z.infer<typeof BacktestReply>

export const WhatIfReply = z.object({
  environmentId,
  at: instantMs,
  horizonMs: durationMs,
  position: count,
  /** How many fall silent; those that were silent before are not among them. */
  fallen: count,
  outcome: Outcome,
  /** From when on the guard lets nobody go by itself; null when it does not come to that. */
  fullStopAt: instantMs.nullable(),
  /** Deployments under way that are for machines which fall silent. */
  deployments: listOf(z.object({ deploymentId: z.string(), machines: count })),
  roles: z.array(z.object({ role: z.string(), answering: count, remaining: count })).readonly(),
  caveats: z.array(Caveat).readonly(),
})
export type WhatIfReply = z.infer<typeof WhatIfReply>

const GuardReading = z.object({
  domain: FailureDomain,
  tripped: z.boolean(),
  /** So much is wrong that none may be removed. */
  isFullStop: z.boolean(),
  unavailable: count,
  registered: z.number().int(),
  share: z.number(),
  thresholdShare: z.number(),
  /** How many may be removed now all the same; null: as many as are due. */
  allowance: count.nullable(),
  clearsWhen: z.string(),
})

export const ExplainRemovalReply = z.object({
  machineId,
  environmentId,
  /** Whether it would be removed now. */
  removable: z.boolean(),
  rule: Removed.shape.rule.nullable(),
  /** What must hold before it is removed automatically, in the order in which it is looked at. */
  clauses: z
    .array(z.object({ clause: z.string(), holds: z.boolean(), detail: z.string(), clearsAt: instantMs.nullable() }))
    .readonly(),
  /** Its silence, by the clock on the wall and as far as it was observed; null when it is not silent. */
  silence: z.object({ sinceAt: instantMs, goneMs: durationMs, observedMs: durationMs }).nullable(),
  policyVersion: z.number(),
  /** The environment as a whole, and then the failure domain of the machine where that is tripped. */
  guard: z.array(GuardReading).readonly(),
})
export type ExplainRemovalReply = z.infer<typeof ExplainRemovalReply>
