import { z } from 'zod'

export const templateVersionMax = 100_000
const argumentCharsMax = 8 * 1024
const argumentItemsMax = 100
const argumentsMax = 32

/** With a dot, what stands before it is the project whose own the template is. */
export const templateName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}(\.[a-z0-9][a-z0-9-]{0,62})?$/,
    'a template is named like restart-unit, or one of a project alone like shop.restart-unit',
  )
export const templateVersion = z.number().int().min(1).max(templateVersionMax)

export const parameterName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,62}$/, 'a parameter is named by 1 to 63 letters, digits and underscores, like drainFor')

/** What a step gives for the parameters of its template. Which type each has is the template's to say. */
export const Arguments = z
  .record(
    parameterName,
    z.union([
      z.string().max(argumentCharsMax),
      z.number(),
      z.boolean(),
      z.array(z.string().max(argumentCharsMax)).max(argumentItemsMax).readonly(),
    ]),
  )
  .refine((all) => Object.keys(all).length <= argumentsMax, `at most ${argumentsMax} parameters`)
  // However they were ordered, the same values make the same step.
  .overwrite((all) => Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1))))
export type Arguments = z.infer<typeof Arguments>

/** The template that a step was made of. The step itself says all that it does, whatever becomes of the template. */
export const TemplateOrigin = z.object({
  name: templateName,
  version: templateVersion,
  /** Whether the newest version was asked for; it was this one when the process was saved. */
  latest: z.literal(true).optional(),
  with: Arguments,
})
export type TemplateOrigin = z.infer<typeof TemplateOrigin>
