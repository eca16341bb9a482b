import { z } from 'zod'
import { DeploymentDecision } from './decision.ts'
import { deploymentOptions } from './deploymentOptions.ts'
import { HealthStatus } from './health.ts'
import * as id from './ids.ts'
import { packageDigest, packageVersionsMax } from './package.ts'
import { PolicySettings } from './policySettings.ts'
import { Probe } from './probe.ts'
import { scopeShape, Variable, variablesMax } from './process.ts'
import { DeploymentState } from './rows.ts'
import { Scope } from './token.ts'
import { PossibleTemplate } from './template.ts'
import { templateVersion } from './template/origin.ts'
import { duration } from './units.ts'
import { WrittenProcess } from './writtenProcess.ts'
import { usesMax } from './enrollment.ts'

/** The bodies that HTTP routes under /v1 take. The address says which; strict, so a misspelt field is told. */
export const pageMax = 200

export const CreateEnvironmentBody = z.strictObject({
  id: id.environmentId,
  name: id.displayName.optional(),
  policy: PolicySettings.optional(),
})
export const PatchEnvironmentBody = z.strictObject({ name: id.displayName })
export const PutPolicyBody = PolicySettings

export const CreateMachineBody = z.strictObject({
  id: id.machineId.optional(),
  name: id.machineName,
  environmentId: id.environmentId,
  roles: id.roles.default([]),
  attributes: id.attributes.default({}),
  /** How the server looks after a machine that has no agent. */
  probe: Probe.nullable().optional(),
})
export const PatchMachineBody = z.strictObject({
  name: id.machineName.optional(),
  roles: id.roles.optional(),
  environmentId: id.environmentId.optional(),
  probe: Probe.nullable().optional(),
})
/** Not every client can send a body with DELETE, so the reason may stand in the query as well. */
export const OptionalReasonBody = z.strictObject({ reason: id.reason.optional() })
export const ReasonBody = z.strictObject({ reason: id.reason.default('no reason given') })

export const CreateEnrollmentBody = z.strictObject({
  environmentId: id.environmentId,
  roles: id.roles.default([]),
  expiresInMs: duration.default(30 * 60_000),
  usesMax: z.number().int().min(1).max(usesMax).default(1),
})

export const CreateTokenBody = z.strictObject({
  name: id.displayName,
  scope: Scope,
  expiresInMs: duration.nullable().default(90 * 24 * 3_600_000),
})

export const CreateProjectBody = z.strictObject({
  id: id.projectId,
  name: id.displayName.optional(),
})
export const PutProjectBody = z.strictObject({ name: id.displayName })
export const PutProcessBody = WrittenProcess
/** A sensitive variable takes a value to have a new one, and none to keep the one that it has. */
const GivenVariable = z
  .strictObject({
    name: Variable.shape.name,
    value: Variable.shape.value.nullable().optional(),
    sensitive: z.boolean().optional(),
    as: Variable.shape.as,
    ...scopeShape,
  })
  .refine(({ value, sensitive }) => sensitive === true || typeof value === 'string', {
    message: 'only a sensitive variable can be given without its value',
    path: ['value'],
  })
export type GivenVariable = z.infer<typeof GivenVariable>
export const PutVariablesBody = z.strictObject({ variables: z.array(GivenVariable).max(variablesMax).readonly() })
export const CreateReleaseBody = z.strictObject({
  version: id.version,
  notes: z.string().max(10_000).default(''),
})
export const PutOverrideBody = z.strictObject({
  version: id.version.nullable(),
  reason: id.reason,
})

export const UploadPackageQuery = z.strictObject({ digest: packageDigest.optional() })
export const PrunePackageBody = z.strictObject({
  keepNewest: z.number().int().min(0).max(packageVersionsMax),
  reason: id.reason.default('pruned'),
})

/** What it says, and the version that it had elsewhere, where it is to keep that. */
export const PutTemplateBody = z.strictObject({
  content: PossibleTemplate,
  version: templateVersion.nullable().default(null),
})

export const CreateDeploymentBody = z.strictObject({
  projectId: id.projectId,
  version: id.version,
  environmentId: id.environmentId,
  machines: z.array(id.machineId).min(1).max(id.machinesMax).optional(),
  ...deploymentOptions,
})
export const DecideBody = z.strictObject({
  decision: DeploymentDecision,
  comment: z.string().max(500).default(''),
  /** What it is about, where a deployment waits for more than one decision. */
  stepId: id.stepId.optional(),
  machineId: id.machineId.optional(),
})

/** One machine of a deployment, and why a person says something of it. */
export const TargetBody = z.strictObject({ machineId: id.machineId, reason: id.reason })

export const ReleaseWithheldBody = z.strictObject({
  machines: z.array(id.machineId).max(id.machinesMax).optional(),
})

const page = {
  limit: z.coerce.number().int().min(1).max(pageMax).default(50),
  cursor: z.string().max(500).optional(),
}
/** Waits until the read model has got this far, so that one reads what one wrote. */
const minPosition = { minPosition: z.coerce.number().int().nonnegative().optional() }

/**
 * Answers as things stood once: at a time in ISO 8601, or behind a position of the log (`position:41`, or just `41`).
 * The cursor of such a list goes on with the same.
 */
const asOf = { asOf: z.string().min(1).max(40).optional() }

export const OneQuery = z.strictObject(minPosition)
export const PageQuery = z.strictObject({ ...page, ...minPosition })
export const OneAsOfQuery = OneQuery.extend(asOf)
export const PageAsOfQuery = PageQuery.extend(asOf)
export const MachinesQuery = z.strictObject({
  ...page,
  ...minPosition,
  ...asOf,
  environment: z.string().max(63).optional(),
  role: z.string().max(63).optional(),
  /** How a machine answers, or that a person has disabled it. */
  status: z.enum([...HealthStatus.options, 'disabled']).optional(),
  q: z.string().max(100).optional(),
})
export const IncidentsQuery = z.strictObject({
  ...page,
  ...minPosition,
  environment: z.string().max(63).optional(),
  state: z.enum(['open', 'closed']).optional(),
})
export const DeploymentsQuery = z.strictObject({
  ...page,
  ...minPosition,
  environment: z.string().max(63).optional(),
  project: z.string().max(63).optional(),
  state: DeploymentState.optional(),
})
export const EventsQuery = z.strictObject({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  stream: z.string().max(200).optional(),
  type: z.string().max(100).optional(),
})

/** What every accepted command is answered with: where its effect is readable from, and what it made. */
export const AcceptedReply = z.looseObject({ position: z.number() })
