import { z } from 'zod'
import { durationMs } from './ids.ts'
import { Outputs } from './process.ts'

/** How a task ended on its machine, as the agent says it. */
export const TaskResult = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('succeeded'),
    outputs: Outputs,
    durationMs,
    logTruncated: z.boolean(),
  }),
  z.strictObject({
    outcome: z.literal('failed'),
    reason: z.enum([
      ...(['exit-code', 'signal', 'time-limit', 'could-not-start', 'interrupted', 'cancelled'] as const),
      ...(['bad-output', 'bad-variables', 'no-answer', 'unexpected-answer'] as const),
      // Of a package: it did not come, other bytes came, or what came breaks the rules for archives.
      ...(['download-failed', 'digest-wrong', 'archive-refused'] as const),
    ]),
    exitCode: z.number().int().nullable(),
    detail: z.string().max(2_000),
    /** What it had said by then. */
    outputs: Outputs.optional(),
    durationMs,
    logTruncated: z.boolean(),
  }),
])
export type TaskResult = z.infer<typeof TaskResult>
