import { z } from 'zod'
import { deploymentId, instantMs, machineId, machinesMax, reason, stepId } from './ids.ts'
import { fact, request } from './message.ts'

const joining = { machineId, name: z.string(), roles: z.array(z.string()).readonly(), reason: z.string() }
const task = { deploymentId, taskId: z.string().min(1).max(200), machineId }
const catchUp = z.array(stepId).readonly()
const left = z.object({ machineId, name: z.string(), reason: z.string() })

/** What persons ask about single machines of a deployment that has not ended. */
export const targetCommands = [
  /** Keeps the machine out of the deployment, whatever is evaluated later; what runs there is told to stop. */
  request('ExcludeTarget', { deploymentId, machineId, reason }),
  /** Takes in again whom a person kept out, or who left for a reason that is over. */
  request('IncludeTarget', { deploymentId, machineId, reason }),
] as const

/** What a re-evaluation that a person is to approve would change. */
export const TargetsChange = z.object({
  added: z.array(left).readonly(),
  removed: z.array(left).readonly(),
  kept: z.number().int().nonnegative(),
})
export type TargetsChange = z.infer<typeof TargetsChange>

/** Who is a target, as persons and the fleet change it between the evaluations. These shapes are stored for ever. */
export const targetFacts = [
  fact('TargetExcluded', {
    ...{ deploymentId, stepId, machineId },
    cause: z.enum([
      ...(['not-contactable', 'removed', 'disabled', 'failed', 'lost', 'unhealthy', 'person'] as const),
      'roles-changed',
    ]),
    detail: z.string(),
    unavailableSince: instantMs.nullable(),
  }),
  /** A task was given up that may still run there: the machine gets no other one until it is known to have ended. */
  fact('TargetMarkedDirty', task),
  /** The machine has said after all how the task ended, or that it did not. */
  fact('TargetCleaned', task),
  /** From now on the machine is kept out; it is excluded as soon as nothing runs there any more. */
  fact('TargetExclusionRequested', {
    deploymentId,
    machineId,
    name: z.string(),
    reason: z.string(),
    requestedAt: instantMs,
  }),
  /** A machine that was never a target may become one again. */
  fact('TargetExclusionLifted', { deploymentId, machineId, name: z.string(), reason: z.string() }),
  /** A person took a machine in again; it makes up for the steps that it missed. */
  fact('TargetIncluded', { deploymentId, stepId, ...joining, catchUp, at: instantMs }),
  /** Who came, or came to do other work, since the targets were evaluated: looked for before the step. */
  fact('TargetsRevalidated', {
    deploymentId,
    stepId,
    joined: z
      .array(z.object({ ...joining, catchUp }))
      .max(machinesMax)
      .readonly(),
    /** Who could be a target and is left to automatic deployments. */
    ignored: z.array(left).max(machinesMax).readonly(),
    seenPosition: z.number(),
    at: instantMs,
  }),
] as const
