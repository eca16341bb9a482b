import { z } from 'zod'
import { stepId } from '../ids.ts'
import { common } from './common.ts'
import { effect } from './effect.ts'
import { rolling } from './rolling.ts'

export const scriptCharsMax = 128 * 1024
const environmentMax = 50
const environmentCharsMax = 8 * 1024

/** Variables for one step alone. Their values may refer to others as those of a project may. */
const environment = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a variable name takes 1 to 64 letters, digits and underscores'),
    z.string().max(environmentCharsMax),
  )
  .refine((all) => Object.keys(all).length <= environmentMax, `at most ${environmentMax} variables`)

export const scriptStep = (object: typeof z.object) => ({
  ...common,
  kind: z.literal('script'),
  /** On every target with one of the roles (none named: every target), or once on a worker. */
  on: z.enum(['targets', 'worker']).default('targets'),
  /** What it does to machines, on a worker. */
  effect: effect(object).optional(),
  /** The step that this one, on a worker, undoes when the deployment fails or is cancelled after that has begun. */
  undoes: stepId.optional(),
  /** bash, pwsh, or any program that takes the script's file as its argument. */
  interpreter: z.string().min(1).max(200).default('bash'),
  script: z.string().min(1).max(scriptCharsMax),
  environment: environment.optional(),
  ...rolling(object),
})
