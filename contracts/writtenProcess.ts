import { z } from 'zod'
import { Process, Step, stepsMax } from './process.ts'
import { common } from './steps/common.ts'
import { Arguments, templateName, templateVersion } from './template/origin.ts'

const { id, name, start, condition, when, automatic, catchUp } = common
const flow = { id, name, start, condition, when, automatic, catchUp }

/** A step that a template gives. How it stands among others is said here, what it does in the template. */
export const TemplateStep = z.strictObject({
  ...flow,
  kind: z.literal('template'),
  template: templateName,
  /** `latest`: the one that is newest when the process is saved. */
  version: z.union([z.literal('latest'), templateVersion], 'expected latest, or a version such as 3').default('latest'),
  with: Arguments.default({}),
})
export type TemplateStep = z.infer<typeof TemplateStep>

/** A process as people write it. It is saved as steps that all say themselves what they do. */
export const WrittenProcess = z.strictObject({
  ...Process.shape,
  steps: z
    .array(z.discriminatedUnion('kind', [...Step.options, TemplateStep]))
    .max(stepsMax)
    .readonly(),
})
export type WrittenProcess = z.infer<typeof WrittenProcess>

/** A process as it was written: what a template gave is named by the template again. */
export const writtenOf = (process: Process): WrittenProcess => ({
  ...process,
  steps: process.steps.map((step) => templateStepOf(step) ?? step),
})

/** The step that asked for this one, where a template gave it. */
export function templateStepOf(step: Step): TemplateStep | null {
  if (step.template === undefined) return null
  const { name: template, version, latest, with: values } = step.template
  const asked = { kind: 'template', template, version: latest === true ? 'latest' : version, with: values }
  const stands = Object.keys(flow).flatMap((key) => {
    const value = step[key as keyof typeof flow]
    return value === undefined ? [] : [[key, value]]
  })
  return TemplateStep.parse({ ...Object.fromEntries(stands), ...asked })
}
