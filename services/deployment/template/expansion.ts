import type { Process, Step } from '#contracts/process.ts'
import { expanded } from '#contracts/template/expand.ts'
import { templateStepOf, type TemplateStep, type WrittenProcess } from '#contracts/writtenProcess.ts'
import type { TemplateState } from './decider.ts'

/** The templates that there are, by name. */
export type Library = ReadonlyMap<string, TemplateState>

/** The templates that a process needs, by name. */
export const templatesIn = ({ steps }: WrittenProcess): readonly string[] => [
  ...new Set(steps.map(askedBy).flatMap((asked) => (asked === null ? [] : [asked.template]))),
]

/**
 * The process with every step as what its template gives; or what is wrong, in words, each with the step and the parameter.
 * @param before the process so far: what it has from a template that was deleted since, it keeps
 */
export function expandProcess(
  written: WrittenProcess,
  { projectId, library, before }: { projectId: string; library: Library; before: Process },
): Process | { readonly mistakes: readonly string[] } {
  const mistakes: string[] = []
  const steps = written.steps.flatMap((step): readonly Step[] => {
    const asked = askedBy(step)
    if (asked === null) return step.kind === 'template' ? [] : [step]
    const say = (what: readonly string[]) => mistakes.push(...what.map((one) => `step ${step.id}: ${one}`))
    const given = stepFor(asked, projectId, library) ?? before.steps.find((one) => same(askedBy(one), asked))
    if (given === undefined) say([`template: there is no template ${asked.template}`])
    else if ('mistakes' in given) say(given.mistakes)
    else if (step.kind === 'template' || same(step, given)) return [given]
    else say(['template: it is not what the template gives: leave `template` out, or write it as kind template'])
    return []
  })
  return mistakes.length > 0 ? { mistakes } : { ...written, steps }
}

/** What a step asks of a template: one that is to be made, or one that was made of it before. */
const askedBy = (step: WrittenProcess['steps'][number]): TemplateStep | null =>
  step.kind === 'template' ? step : templateStepOf(step)

type Given = Step | { readonly mistakes: readonly string[] }

function stepFor(asked: TemplateStep, projectId: string, library: Library): Given | undefined {
  const { template: name, version: wanted } = asked
  const [owner, inner] = name.split('.')
  if (inner !== undefined && owner !== projectId)
    return { mistakes: [`template: ${name} is of project ${owner} alone`] }
  const template = library.get(name)
  if (template === undefined || template.newest === 0 || template.deleted) return undefined
  const version = wanted === 'latest' ? template.newest : wanted
  const content = template.versions.get(version)
  if (content === undefined)
    return { mistakes: [`version: there is no version ${version} of ${name}; the newest is ${template.newest}`] }
  const step = expanded({ name, version, ...content }, asked)
  if (!Array.isArray(step)) return step as Step
  return { mistakes: step.map(({ path, message }) => `${path.join('.')}: ${message}`) }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
