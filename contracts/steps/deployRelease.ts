import { z } from 'zod'
import { projectId, version } from '../ids.ts'
import { duration } from '../units.ts'
import { common, minuteMs } from './common.ts'

/** How many deployments one may have made the other in a row. */
export const parentsMax = 5

export const deployReleaseStep = {
  ...common,
  kind: z.literal('deploy-release'),
  project: projectId,
  /** A version, the newest one that there is, or the one that the environment should have. */
  version: z.union([z.enum(['desired', 'latest']), version]).default('desired'),
  /** All machines of the environment that the other release is for, or the targets of this deployment among them. */
  targets: z.enum(['all', 'mine']).default('all'),
  /** Whether the step ends with the other deployment, as well or badly as that, or when it has been asked for. */
  wait: z.boolean().default(true),
  timeLimitMs: duration.default(4 * 60 * minuteMs),
}
