import { z } from 'zod'
import { OneQuery } from './api.ts'

// What the query API answers of a deployment's plan: which machines are targets, and which of them each step is for.
const ids = z.array(z.string()).readonly()

/** A machine that came into the plan or left it, why, and with which version. */
export const PlanMove = z.object({
  machineId: z.string(),
  name: z.string(),
  reason: z.string().nullable(),
  version: z.number(),
})
export type PlanMove = z.infer<typeof PlanMove>

/** What made a version of the plan: a fact that changed which machines or steps there are. */
export const PlanChange = z.object({
  version: z.number(),
  at: z.string(),
  position: z.number(),
  actor: z.string(),
  /** The type of that fact. */
  type: z.string(),
  /** The step that brought it about, where one did. */
  stepId: z.string().nullable(),
  why: z.string(),
  /** How many machines came in, and how many left or were not let in. */
  added: z.number(),
  excluded: z.number(),
})
export type PlanChange = z.infer<typeof PlanChange>

export const PlanStep = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  /** Steps with the same number run side by side. */
  group: z.number(),
  /** The targets that it is for; none where it does not run on targets. */
  machineIds: ids,
  /** Those that go first and hold the others back; null where all go alike, or nobody knows yet. */
  canary: ids.nullable(),
  /** Why it will not run, where that is known. */
  skipped: z.string().nullable(),
})
export type PlanStep = z.infer<typeof PlanStep>

/** What became of one version until another. */
export const PlanDifference = z.object({
  against: z.number(),
  added: z.array(PlanMove).readonly(),
  removed: z.array(PlanMove).readonly(),
  /** Those that were looked at and not let in. */
  notLetIn: z.array(PlanMove).readonly(),
  steps: z.array(z.object({ id: z.string(), name: z.string(), reason: z.string() })).readonly(),
})
export type PlanDifference = z.infer<typeof PlanDifference>

export const PlanReply = z.object({
  deploymentId: z.string(),
  /** How the deployment stands now, whichever version is shown. */
  state: z.string(),
  version: z.number(),
  latestVersion: z.number(),
  /** Since when this version has stood. */
  at: z.string(),
  targets: z.array(z.object({ machineId: z.string(), name: z.string(), roles: ids })).readonly(),
  steps: z.array(PlanStep).readonly(),
  /** What made each version up to this one, the oldest first: the last so many of them. */
  changes: z.array(PlanChange).readonly(),
  difference: PlanDifference,
})
export type PlanReply = z.infer<typeof PlanReply>

const version = z.coerce.number().int().min(1).max(1_000_000)
export const PlanQuery = OneQuery.extend({
  /** The plan as it stood in this version; the present one unless told. */
  version: version.optional(),
  /** The version to compare with; the one before unless told. */
  against: version.optional(),
})
