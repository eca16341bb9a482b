import { z } from 'zod'
import { deploymentId, durationMs, environmentId, machineId, projectId, stepId } from './ids.ts'
import { fact } from './message.ts'
import { Outputs } from './process.ts'
import { effectMachinesMax } from './steps/effect.ts'

/** Why a step that changes what serves does not begin: the first word of the reason. */
export const GuardCode = z.enum([
  'SERVING_TOO_FEW',
  'STILL_SERVES',
  'BEING_DESTROYED',
  'MACHINES_NOT_READY',
  'MACHINES_NONE',
  'MACHINES_TOO_MANY',
])
export type GuardCode = z.infer<typeof GuardCode>

/** One that has never registered has no id. */
export const SwapMachine = z.object({ name: z.string(), machineId: machineId.nullable() })
export type SwapMachine = z.infer<typeof SwapMachine>

const machines = z.array(SwapMachine).max(effectMachinesMax).readonly()
const about = { deploymentId, stepId, projectId, environmentId }
/** The release that these machines run. */
const version = z.string()

/** What a project's machines in an environment come to do and cease to do. What serves is a fold over these alone. */
export const swapFacts = [
  /** An attempt is about to begin. From here on nobody can be sure of these machines until it has succeeded. */
  fact('EffectBegun', {
    ...about,
    attempt: z.number().int().positive(),
    does: z.enum(['create', 'attach', 'detach', 'drain', 'destroy']),
    machines,
    /** How many served when it was decided, and how many of them were healthy. */
    serving: z.number().int().nonnegative(),
    healthy: z.number().int().nonnegative(),
    /** How many had to stay; null where that does not matter. */
    minimum: z.number().int().nonnegative().nullable(),
    /** Up to where the log was known, and for how long it had been listened to without a break. */
    seenPosition: z.number(),
    listeningMs: durationMs,
  }),
  fact('ServingChanged', { ...about, change: z.enum(['attached', 'detached']), machines, version }),
  fact('MachinesCreated', { ...about, machines }),
  fact('MachinesDestroyed', { ...about, machines }),
  /** What an attempt had said by the time it failed, or says when it was given up already. */
  fact('OutputsReported', {
    ...{ deploymentId, taskId: z.string().min(1).max(200), machineId, stepId },
    attempt: z.number().int().positive(),
    outputs: Outputs,
  }),
] as const

/** How a deployment that changes what serves has left it: whom it attached and not detached again, by name. */
export const SwapRow = z.object({
  serving: z.array(z.string()).readonly(),
  /** What it made, or meant to end, and for what there is no more use; told at its end. */
  leftBehind: z.array(z.string()).readonly(),
})
export type SwapRow = z.infer<typeof SwapRow>

/** What a deployment made, or meant to end, and is there no more use for: the first of them, by name. */
export const leftBehindMax = 100
export const leftBehind = z.array(z.string()).readonly().optional()
