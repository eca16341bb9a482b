import { z } from 'zod'
import { common, outputReference } from './common.ts'

export const deregisterStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('deregister-machines'),
  /** The targets that re-evaluation replaced, or machines named in an output variable. */
  from: z.union([z.literal('replaced'), object({ output: outputReference })]).default('replaced'),
})
