import { mistakesOf, type Mistake } from '../issues.ts'
import { Step } from '../process.ts'
import type { TemplateStep } from '../writtenProcess.ts'
import { namesAt } from './body.ts'
import type { TemplateOrigin } from './origin.ts'
import { argumentSchema, type Value } from './parameters.ts'
import { parameterOf, placesIn, substituted, type Body, type Parameters } from './substitute.ts'

/** A version of a template, as it was saved. */
export interface Template {
  readonly name: string
  readonly version: number
  readonly parameters: Parameters
  readonly step: Body
}

/** The step that a template gives for what is asked of it, or every mistake in that, at the parameter that it is about. */
export function expanded(template: Template, asked: TemplateStep): Step | readonly Mistake[] {
  const values = valuesFor(template, asked)
  if (Array.isArray(values)) return values
  const { kind: _, template: name, version, with: given, ...flow } = asked
  const body = substituted(template.step, template.parameters, values)
  const origin: TemplateOrigin = {
    ...{ name, version: template.version, with: given },
    ...(version === 'latest' && { latest: true }),
  }
  const { error, data } = Step.safeParse({ ...body, ...flow, template: origin })
  return error === undefined ? data : mistakesOf(error).map((mistake) => atParameter(template, mistake))
}

function valuesFor({ name, version, parameters }: Template, { with: given }: TemplateStep) {
  const values = new Map<string, Value>()
  const mistakes: Mistake[] = []
  const known = Object.keys(parameters).join(', ')
  for (const unknown of Object.keys(given).filter((key) => parameterOf(parameters, key) === undefined)) {
    const others = known === '' ? 'it has none' : `it has ${known}`
    mistakes.push({ path: ['with', unknown], message: `${name}@${version} has no such parameter; ${others}` })
  }
  for (const [key, parameter] of Object.entries(parameters)) {
    const value = Object.hasOwn(given, key) ? given[key] : parameter.default
    if (value === undefined) {
      if (parameter.required) mistakes.push({ path: ['with', key], message: `is required${forWhat(parameter.help)}` })
      continue
    }
    const { error, data } = argumentSchema(parameter).safeParse(value)
    if (error === undefined) values.set(key, data)
    else mistakes.push(...mistakesOf(error).map((one) => ({ path: ['with', key, ...one.path], message: one.message })))
  }
  return mistakes.length > 0 ? mistakes : values
}

const forWhat = (help: string | undefined) => (help === undefined ? '' : `: ${help}`)

/** What a body takes is the template's to say; who uses it only knows the parameters. */
function atParameter({ name, version, step }: Template, { path, message }: Mistake): Mistake {
  const where = path.join('.')
  const [parameter] = namesAt(path, placesIn(step))
  return parameter === undefined
    ? { path: ['template'], message: `${name}@${version} gives no step: ${where}: ${message}` }
    : { path: ['with', parameter], message: `does not fit into ${where} of ${name}@${version}: ${message}` }
}
