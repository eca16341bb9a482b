import { z } from 'zod'

/** What a person may choose for a target that has failed: `ignore` lets the step go on as if it had succeeded there. */
export const FailureChoice = z.enum(['retry', 'exclude', 'ignore', 'fail'])
export type FailureChoice = z.infer<typeof FailureChoice>

/** All that a person may say to a deployment that waits: to an approval, or about a target that has failed. */
export const DeploymentDecision = z.enum(['approve', 'reject', ...FailureChoice.options])
export type DeploymentDecision = z.infer<typeof DeploymentDecision>

/** What a deployment asks of a person, as the query API tells it. */
export const AskedDecision = z.object({
  stepId: z.string(),
  machineId: z.string(),
  reason: z.string(),
  options: z.array(FailureChoice).readonly(),
  deadlineAt: z.string(),
})
export type AskedDecision = z.infer<typeof AskedDecision>
