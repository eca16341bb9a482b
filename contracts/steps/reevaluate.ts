import { z } from 'zod'
import { roles } from '../ids.ts'
import { providerGroup } from '../providerGroup.ts'
import { duration } from '../units.ts'
import { common, minuteMs, outputReference, targetsMax } from './common.ts'

const Change = z.union([
  z.number().int().min(0).max(targetsMax),
  z.string().regex(/^(0|[1-9][0-9]?|100)%$/, 'expected a count such as 5 or a share such as 25%'),
])

export const reevaluateStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('reevaluate-targets'),
  /**
   * Machines named (or by id) in an output variable, every machine of the environment with one of the roles, or the
   * members of a group, such as an auto-scaling group, as the environment's provider lists them.
   */
  from: z.union([object({ output: outputReference }), object({ group: providerGroup }), object({ roles: roles })]),
  /** Whether the machines found take the place of the targets so far, or join them. */
  mode: z.enum(['replace', 'add']).default('replace'),
  expect: object({
    min: z.number().int().min(0).max(targetsMax).default(1),
    max: z.number().int().min(1).max(targetsMax).default(targetsMax),
    withinMs: duration.default(5 * minuteMs),
  }).prefault({}),
  /** Above how many changes, or which share of the targets so far, a person is asked before they take effect. */
  approveAbove: Change.nullable().default(null),
  approveWithinMs: duration.default(24 * 60 * minuteMs),
})
