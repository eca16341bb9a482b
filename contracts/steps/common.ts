import { z } from 'zod'
import { stepId } from '../ids.ts'
import { TemplateOrigin } from '../template/origin.ts'
import { duration } from '../units.ts'

export const minuteMs = 60_000
export const targetsMax = 10_000
const whenCharsMax = 1_000

/** `<step>.<name>`: an output variable of an earlier step. */
export const outputReference = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'an output is named as <step>.<name>')

/** How many of a step's targets: a count, or a share of them such as `25%`. */
export const Window = z.union([
  z.number().int().min(1).max(targetsMax),
  z.string().regex(/^([1-9][0-9]?|100)%$/, 'expected a count such as 5 or a share such as 25%'),
])
export type Window = z.infer<typeof Window>

/** What every kind of step has. */
export const common = {
  id: stepId,
  name: z.string().trim().min(1).max(100).optional(),
  /** Whether it waits for the step before it to end, or runs side by side with it. */
  start: z.enum(['after-previous', 'with-previous']).default('after-previous'),
  /** When the step runs, given what came before it. */
  condition: z.enum(['success', 'failure', 'always']).default('success'),
  /** An expression in CEL over `vars`, `outputs`, `env` and `failed`: only where it is true the step runs. */
  when: z.string().trim().min(1).max(whenCharsMax).optional(),
  /** What it may take; of a script: on each machine, with all its attempts and the waits between them. */
  timeLimitMs: duration.default(10 * minuteMs),
  /** Whether an automatic deployment to single machines runs it. Left out: yes for steps on targets, no for others. */
  automatic: z.boolean().optional(),
  /** Whether machines that a re-evaluation adds run it, when it lies before the re-evaluation. */
  catchUp: z.boolean().default(false),
  /** Where the step was made of a template: which one, and with what. */
  template: TemplateOrigin.optional(),
}
