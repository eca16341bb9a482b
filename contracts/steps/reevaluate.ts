import { z } from 'zod'
import { roles } from '../ids.ts'
import { duration } from '../units.ts'
import { common, minuteMs, outputReference, targetsMax } from './common.ts'

export const reevaluateStep = (object: typeof z.object) => ({
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
