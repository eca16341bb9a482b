import { z } from 'zod'
import { reason } from './ids.ts'
import { fact, request } from './message.ts'
import { templateMistakes } from './template/body.ts'
import { parameterName, templateName, templateVersion } from './template/origin.ts'
import { Parameter } from './template/parameters.ts'

export const templateVersionsMax = 500
const parametersMax = 32
const descriptionCharsMax = 1_000

const content = (parameter: z.ZodType<Parameter>) => ({
  description: z.string().max(descriptionCharsMax).default(''),
  parameters: z
    .record(parameterName, parameter)
    .refine((all) => Object.keys(all).length <= parametersMax, `at most ${parametersMax} parameters`)
    .default({}),
  /** A step without what says how it stands among others, in whose values `((name))` stands for a parameter. */
  step: z.record(z.string(), z.unknown()),
})

/** What a template says. That it can give a step is checked where it is decided, and before that where it is written. */
export const TemplateContent = z.strictObject(content(Parameter))
export type TemplateContent = z.infer<typeof TemplateContent>

/** Refuses what could give no step, whatever its parameters are, each mistake at its place. */
function canGiveStep(template: TemplateContent, context: z.RefinementCtx): void {
  for (const { path, message } of templateMistakes(template))
    context.addIssue({ code: 'custom', path: [...path], message })
}

export const PossibleTemplate = TemplateContent.superRefine(canGiveStep)

/** A template as it is kept in a repository; under a version that it states, it says the same for ever. */
export const TemplateFile = z
  .strictObject({ template: templateName, version: templateVersion.optional(), ...content(Parameter) })
  .superRefine(canGiveStep)
export type TemplateFile = z.infer<typeof TemplateFile>

export const TemplateCommand = z.discriminatedUnion('type', [
  /** As the next version, unless it is what the newest one says already; or under a version that it had elsewhere. */
  request('SaveTemplate', {
    name: templateName,
    content: TemplateContent,
    version: templateVersion.nullable().default(null),
    expectedVersion: z.number().int().nullable().default(null),
  }),
  request('DeleteTemplate', { name: templateName, reason }),
])
export type TemplateCommand = z.infer<typeof TemplateCommand>

const stored = { name: z.string(), version: z.number(), ...content(Parameter) }

// These shapes are stored for ever: add an event type, never rename or repurpose one.
export const TemplateEvent = z.discriminatedUnion('type', [
  fact('TemplateSaved', stored),
  /** Nothing new is made of it. Steps that were made of it, and what is said of its versions, stay. */
  fact('TemplateDeleted', { name: z.string(), reason: z.string() }),
])
export type TemplateEvent = z.infer<typeof TemplateEvent>

/** A version of a template, as the API shows it. */
export const TemplateRow = z.object({ ...stored, savedAt: z.string(), savedBy: z.string() })
export type TemplateRow = z.infer<typeof TemplateRow>
