import { z } from 'zod'
import { role, roles, stepId } from './ids.ts'
import { duration } from './units.ts'

export const stepsMax = 100
export const scriptCharsMax = 128 * 1024
export const variablesMax = 500
export const variableCharsMax = 8 * 1024
const minuteMs = 60_000
const targetsMax = 10_000

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a variable name takes 1 to 64 letters, digits and underscores')

/** `<step>.<name>`: an output variable of an earlier step. */
export const outputReference = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'an output is named as <step>.<name>')

/** How many targets may run a step at once: a count, or a share of the targets such as `25%`. */
export const Window = z.union([
  z.number().int().min(1).max(targetsMax),
  z.string().regex(/^([1-9][0-9]?|100)%$/, 'a window is a count such as 5 or a share such as 25%'),
])
export type Window = z.infer<typeof Window>

const common = {
  id: stepId,
  name: z.string().trim().min(1).max(100).optional(),
  /** When the step runs, given what came before it. */
  condition: z.enum(['success', 'failure', 'always']).default('success'),
  timeLimitMs: duration.default(10 * minuteMs),
  /** Whether an automatic deployment to single machines runs it. Left out: yes for steps on targets, no for others. */
  automatic: z.boolean().optional(),
  /** Whether machines that a re-evaluation adds run it, when it lies before the re-evaluation. */
  catchUp: z.boolean().default(false),
}

const scriptStep = {
  ...common,
  kind: z.literal('script'),
  /** On every target with one of the roles (none named: every target), or once on a worker. */
  on: z.enum(['targets', 'worker']).default('targets'),
  roles: roles.default([]),
  /** bash, pwsh, or any program that takes the script's file as its argument. */
  interpreter: z.string().min(1).max(200).default('bash'),
  script: z.string().min(1).max(scriptCharsMax),
  window: Window.default('100%'),
  /** What a failed target does: fails the step, or is taken out of the deployment, which goes on without it. */
  onFailure: z.enum(['fail', 'exclude']).default('fail'),
  attemptsMax: z.number().int().min(1).max(10).default(1),
  retryAfterMs: duration.default(5_000),
  /** Whether an attempt that a crash interrupted may be tried again; otherwise it is a failure that says so. */
  repeatable: z.boolean().default(false),
}

const healthCheckStep = {
  ...common,
  kind: z.literal('health-check'),
  roles: roles.default([]),
  onUnavailable: z.enum(['fail', 'exclude']).default('fail'),
}

const reevaluateStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('reevaluate-targets'),
  /** Machines named (or by id) in an output variable, or every machine of the environment with one of the roles. */
  from: z.union([object({ output: outputReference }), object({ roles: roles })]),
  /** Whether the machines found take the place of the targets so far, or join them. */
  mode: z.enum(['replace', 'add']).default('replace'),
  expect: object({
    min: z.number().int().min(0).max(targetsMax).default(1),
    max: z.number().int().min(1).max(targetsMax).default(targetsMax),
    withinMs: duration.default(5 * minuteMs),
  }).prefault({}),
})

const deregisterStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('deregister-machines'),
  /** The targets that re-evaluation replaced, or machines named in an output variable. */
  from: z.union([z.literal('replaced'), object({ output: outputReference })]).default('replaced'),
})

const approvalStep = {
  ...common,
  kind: z.literal('approval'),
  message: z.string().trim().min(1).max(500),
  timeLimitMs: duration.default(24 * 60 * minuteMs),
}

/** Strict where a person writes steps, tolerant where they are read back: a newer version may have stored more. */
const stepSchema = (object: typeof z.object) =>
  z.discriminatedUnion('kind', [
    object(scriptStep),
    object(healthCheckStep),
    object(reevaluateStep(object)),
    object(deregisterStep(object)),
    object(approvalStep),
  ])

const strictObject = z.strictObject as unknown as typeof z.object

export const Step = stepSchema(strictObject)
export type Step = z.infer<typeof Step>
export type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>

const processOf = (step: typeof Step, object: typeof z.object) =>
  object({ steps: z.array(step).max(stepsMax).readonly() })

/** The ordered steps of a project. Ids are unique and an output is only read after the step that sets it. */
export const Process = processOf(Step, strictObject)
export const StoredProcess = processOf(stepSchema(z.object), z.object)
export type Process = z.infer<typeof Process>

/** A value for scripts, given as an environment variable. The most specific scope wins; equal ones: the later. */
export const Variable = z.strictObject({
  name: variableName,
  value: z.string().max(variableCharsMax),
  environments: z.array(z.string()).max(100).default([]),
  roles: z.array(role).max(32).default([]),
})
export type Variable = z.infer<typeof Variable>

export const Variables = z.array(Variable).max(variablesMax).readonly()
export const StoredVariables = z.array(z.object(Variable.shape)).readonly()

/** Output variables of one task: `name` to value. */
export const outputsMax = 100
export const outputCharsMax = 16 * 1024
export const Outputs = z.record(variableName, z.string().max(outputCharsMax)).readonly()
export type Outputs = z.infer<typeof Outputs>
