import { z } from 'zod'
import { common } from './common.ts'
import { rolling } from './rolling.ts'

export const scriptCharsMax = 128 * 1024

export const scriptStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('script'),
  /** On every target with one of the roles (none named: every target), or once on a worker. */
  on: z.enum(['targets', 'worker']).default('targets'),
  /** bash, pwsh, or any program that takes the script's file as its argument. */
  interpreter: z.string().min(1).max(200).default('bash'),
  script: z.string().min(1).max(scriptCharsMax),
  ...rolling(object),
})
