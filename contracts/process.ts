import { z } from 'zod'
import { machineName, role, stepId } from './ids.ts'
import { approvalStep } from './steps/approval.ts'
import { deployReleaseStep } from './steps/deployRelease.ts'
import { deregisterStep } from './steps/deregister.ts'
import { healthCheckStep } from './steps/healthCheck.ts'
import { httpStep } from './steps/http.ts'
import { packageStep } from './steps/package.ts'
import { reevaluateStep } from './steps/reevaluate.ts'
import { scriptStep } from './steps/script.ts'
import { durationBetween, durationMaxMs } from './units.ts'

export const stepsMax = 100
/** Where a process says nothing else. */
export const deploymentTimeLimitMs = 24 * 3_600_000
export const variablesMax = 500
export const variableCharsMax = 8 * 1024

export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a variable name takes 1 to 64 letters, digits and underscores')

/** Strict where a person writes steps, tolerant where they are read back: a newer version may have stored more. */
const stepSchema = (object: typeof z.object) =>
  z.discriminatedUnion('kind', [
    object(scriptStep(object)),
    object(packageStep(object)),
    object(httpStep(object)),
    object(healthCheckStep),
    object(reevaluateStep(object)),
    object(deregisterStep(object)),
    object(approvalStep),
    object(deployReleaseStep),
  ])

const strictObject = z.strictObject as unknown as typeof z.object

export const Step = stepSchema(strictObject)
export type Step = z.infer<typeof Step>
export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

const processOf = (step: typeof Step, object: typeof z.object) =>
  object({
    steps: z.array(step).max(stepsMax).readonly(),
    /** What a deployment may take, from its start: then its steps are cut, and those for a failure run. */
    timeLimitMs: durationBetween(1, durationMaxMs).optional(),
    /** What becomes of machines that come while it runs: left to automatic deployments (unless told), or taken in. */
    joiners: z.enum(['include', 'ignore']).optional(),
  })

/** The ordered steps of a project. Ids are unique and an output is only read after the step that sets it. */
export const Process = processOf(Step, strictObject)
export const StoredProcess = processOf(stepSchema(z.object), z.object)
export type Process = z.infer<typeof Process>

/** Where a value holds: everywhere, where nothing is named; else where each dimension that names something fits. */
export const scopeShape = {
  environments: z.array(z.string()).max(100).default([]),
  roles: z.array(role).max(32).default([]),
  /** Ids or names of machines. */
  machines: z.array(machineName).max(100).optional(),
  steps: z.array(stepId).max(100).optional(),
}

/** Names a value in the vault. What is recorded is only ever this, never the value, encrypted or not. */
export const SecretReference = z.object({
  secretId: z.string().regex(/^[0-9a-f]{32}$/),
  version: z.number().int().positive(),
})
export type SecretReference = z.infer<typeof SecretReference>

/** A value for scripts, given as an environment variable or as the path of a file that holds it. */
export const Variable = z.strictObject({
  name: variableName,
  /** Empty where there is a `secret`. */
  value: z.string().max(variableCharsMax),
  ...scopeShape,
  as: z.enum(['variable', 'file']).optional(),
  secret: SecretReference.optional(),
})
export type Variable = z.infer<typeof Variable>

/** What a change asks for: a sensitive one without a secret keeps the value that it has. */
export const WantedVariable = Variable.extend({ sensitive: z.literal(true).optional() })
export type WantedVariable = z.infer<typeof WantedVariable>
export const WantedVariables = z.array(WantedVariable).max(variablesMax).readonly()

export const StoredVariables = z.array(z.object(Variable.shape)).readonly()

/** Output variables of one task: `name` to value. */
export const outputsMax = 100
export const outputCharsMax = 16 * 1024
export const Outputs = z.record(variableName, z.string().max(outputCharsMax)).readonly()
export type Outputs = z.infer<typeof Outputs>
