import { z } from 'zod'
import { AskedDecision } from './decision.ts'
import { TargetsChange } from './targets.ts'
import { DeploymentKind, TargetOutcome } from './deployment.ts'
import { HealthEvidence, HealthStatus } from './health.ts'
import { MachineFacts, RemovalCause } from './machine.ts'
import { DeferralClause } from './policy.ts'
import { EnvironmentPolicy } from './policySettings.ts'
import { StoredProcess } from './process.ts'
import { Probe } from './probe.ts'
import { queueRow } from './queueRows.ts'
import { PinnedPackages } from './steps/package.ts'
import { SwapRow } from './swap.ts'
import { VariableRow } from './variableRow.ts'

// What the query API answers. Instants are ISO 8601 in UTC; `null` says that there is nothing, never "not asked".
const at = z.string()
const ids = z.array(z.string()).readonly()

export const EnvironmentRow = z.object({
  id: z.string(),
  name: z.string(),
  policy: EnvironmentPolicy,
  policyVersion: z.number(),
  createdAt: at,
  /** How many registered machines have each status, and how many are disabled. */
  machines: z.record(z.union([HealthStatus, z.literal('disabled')]), z.number()),
})
export type EnvironmentRow = z.infer<typeof EnvironmentRow>

export const InstalledRelease = z.object({ projectId: z.string(), version: z.string(), deploymentId: z.string(), at })
export const Removal = z.object({
  at,
  cause: RemovalCause,
  evidence: z.record(z.string(), z.unknown()).nullable(),
  policyVersion: z.number().nullable(),
  actor: z.string(),
})

export const MachineRow = z.object({
  id: z.string(),
  name: z.string(),
  environmentId: z.string(),
  roles: ids,
  registered: z.boolean(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  status: HealthStatus,
  statusSince: at.nullable(),
  /** Since when it does not answer, by the steady clock; null while it does. */
  silentSince: z.number().nullable(),
  evidence: HealthEvidence.nullable(),
  /** The checks that fail or warn. */
  failing: z
    .array(z.object({ check: z.string(), level: z.enum(['warning', 'failure']), at, evidence: HealthEvidence }))
    .readonly(),
  transport: z.enum(['agent', 'tcp', 'http', 'ssh', 'none']),
  probe: Probe.nullable(),
  /** Set while the machine may not work, since its key is used by two. */
  quarantined: z.object({ at, detail: z.string() }).nullable(),
  /** Set while a task that was given up may still run on it: it gets no other one. */
  dirty: z.object({ at, deploymentId: z.string(), taskId: z.string() }).nullable(),
  facts: MachineFacts.nullable(),
  attributes: z.record(z.string(), z.string()),
  releases: z.array(InstalledRelease).readonly(),
  /** Set while policy wants the machine removed but holds the removal back. */
  withheld: z.object({ share: z.number(), thresholdShare: z.number(), clearsWhen: z.string() }).nullable(),
  /** Set while its removal is due and waits for another reason than a mass failure. */
  deferred: z.object({ clause: DeferralClause, detail: z.string(), at }).nullable(),
  /** The latest removal, also when the machine has returned since. */
  removal: Removal.nullable(),
  registeredAt: at.nullable(),
  changedAt: at,
})
export type MachineRow = z.infer<typeof MachineRow>

export const ProjectRow = z.object({
  id: z.string(),
  name: z.string(),
  process: StoredProcess,
  processVersion: z.number(),
  variables: z.array(VariableRow).readonly(),
  variablesVersion: z.number(),
  overrides: z.record(z.string(), z.string()),
  latestVersion: z.string().nullable(),
  createdAt: at,
})
export type ProjectRow = z.infer<typeof ProjectRow>

export const ReleaseRow = z.object({
  projectId: z.string(),
  version: z.string(),
  notes: z.string(),
  process: StoredProcess,
  processVersion: z.number(),
  variables: z.array(VariableRow).readonly(),
  targetRoles: ids,
  packages: PinnedPackages,
  createdAt: at,
  createdBy: z.string(),
})
export type ReleaseRow = z.infer<typeof ReleaseRow>

export const DeploymentState = z.enum(['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'])
export type DeploymentState = z.infer<typeof DeploymentState>

export const StepRow = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  state: z.enum(['pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled']),
  reason: z.string().nullable(),
  startedAt: at.nullable(),
  endedAt: at.nullable(),
  /** Set while it runs: by when it has ended at the latest. */
  deadlineAt: at.nullable(),
  /** Tasks of this step by state. */
  tasks: z.record(z.string(), z.number()),
})
export type StepRow = z.infer<typeof StepRow>

export const TargetRow = z.object({
  machineId: z.string(),
  name: z.string(),
  roles: ids,
  /** `included` until the deployment ends; then the outcome. */
  outcome: z.union([TargetOutcome, z.literal('included')]),
  reason: z.string().nullable(),
})
export type TargetRow = z.infer<typeof TargetRow>

export const DeploymentRow = z.object({
  id: z.string(),
  projectId: z.string(),
  version: z.string(),
  environmentId: z.string(),
  kind: DeploymentKind,
  state: DeploymentState,
  reason: z.string().nullable(),
  steps: z.array(StepRow).readonly(),
  targets: z.array(TargetRow).readonly(),
  /** Set while an approval step waits for a person. `change`: who would come and go, where that is what is asked. */
  approval: z
    .object({ stepId: z.string(), message: z.string(), deadlineAt: at, change: TargetsChange.optional() })
    .nullable(),
  /** The targets that failed and of which a person is to say what becomes of them. */
  decisions: z.array(AskedDecision).readonly(),
  /** Whether it is for machines that were named, and not for the whole environment. */
  partial: z.boolean(),
  /** What its package steps bring. */
  packages: PinnedPackages,
  swap: SwapRow.optional(),
  ...queueRow,
  createdAt: at,
  createdBy: z.string(),
  startedAt: at.nullable(),
  endedAt: at.nullable(),
  /** Set while it runs: when its time is over. */
  deadlineAt: at.nullable(),
  position: z.number(),
})
export type DeploymentRow = z.infer<typeof DeploymentRow>

export const TaskRow = z.object({
  id: z.string(),
  deploymentId: z.string(),
  stepId: z.string(),
  machineId: z.string(),
  machineName: z.string(),
  attempt: z.number(),
  state: z.enum(['dispatched', 'running', 'succeeded', 'failed', 'lost']),
  reason: z.string().nullable(),
  exitCode: z.number().nullable(),
  outputs: z.record(z.string(), z.string()),
  logTruncated: z.boolean(),
  dispatchedAt: at,
  startedAt: at.nullable(),
  endedAt: at.nullable(),
  durationMs: z.number().nullable(),
})
export type TaskRow = z.infer<typeof TaskRow>

export const Overview = z.object({
  machines: z.record(z.string(), z.number()),
  environments: z.number(),
  deployments: z.record(z.string(), z.number()),
  withheld: z.number(),
  /** Machines whose removal is due and waits for another reason than a mass failure: they count as lost. */
  deferred: z.number(),
  quarantined: z.number(),
  /** Mass failures that are not over, and breaks in what is observed that have not ended. */
  openIncidents: z.number(),
  openGaps: z.number(),
  position: z.number(),
  version: z.string(),
})
export type Overview = z.infer<typeof Overview>
