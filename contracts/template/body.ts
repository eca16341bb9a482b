import { mistakesOf, type Mistake } from '../issues.ts'
import { Step } from '../process.ts'
import { combinations, likeliest, variations } from './candidates.ts'
import { argumentSchema } from './parameters.ts'
import {
  parameterOf,
  placesIn,
  substituted,
  type Body,
  type Parameters,
  type Place,
  type Values,
} from './substitute.ts'

const depthMax = 16
const bodyBytesMax = 192 * 1024

/** How a step stands among others is for the process to say that uses the template. */
const flowFields = ['id', 'name', 'start', 'condition', 'when', 'automatic', 'catchUp', 'template'] as const

interface Written {
  readonly parameters: Parameters
  readonly step: Body
}

/** What would keep a template from ever giving a step, whatever its parameters are; each with its place. */
export function templateMistakes(template: Written): readonly Mistake[] {
  const { parameters, step } = template
  if (!isShallow(step, depthMax)) return [{ path: ['step'], message: `it is nested deeper than ${depthMax}` }]
  const bytes = new TextEncoder().encode(JSON.stringify(step)).length
  if (bytes > bodyBytesMax) return [{ path: ['step'], message: `it takes ${bytes} bytes, at most ${bodyBytesMax}` }]
  const places = placesIn(step)
  const early = [
    ...defaultMistakes(parameters),
    ...flowFields.flatMap((field) => (field in step ? [flowMistake(field)] : [])),
    ...places.flatMap((place) => placeMistakes(place, parameters)),
    ...unused(parameters, places),
  ]
  return early.length > 0 ? early : bodyMistakes(template, places)
}

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)))

function defaultMistakes(parameters: Parameters): readonly Mistake[] {
  return Object.entries(parameters).flatMap(([name, parameter]): readonly Mistake[] => {
    const path = ['parameters', name]
    if (parameter.type === 'text' && parameter.charsMin > parameter.charsMax)
      return [
        { path, message: `at least ${parameter.charsMin} and at most ${parameter.charsMax} characters never fit` },
      ]
    if (parameter.type === 'number' && (parameter.min ?? -Infinity) > (parameter.max ?? Infinity))
      return [{ path, message: `at least ${parameter.min} and at most ${parameter.max} never fit` }]
    if (parameter.type === 'duration' && parameter.minMs > parameter.maxMs)
      return [{ path, message: `at least ${parameter.minMs} ms and at most ${parameter.maxMs} ms never fit` }]
    if (parameter.default === undefined) return []
    if (parameter.required) return [{ path: [...path, 'default'], message: 'what is required has no default' }]
    const { error } = argumentSchema(parameter).safeParse(parameter.default)
    return error === undefined ? [] : mistakesOf(error).map(({ message }) => ({ path: [...path, 'default'], message }))
  })
}

const flowMistake = (field: string): Mistake => ({
  path: ['step', field],
  message: 'belongs to the step of the process that uses the template',
})

function placeMistakes({ name, path, field, text, whole }: Place, parameters: Parameters): readonly Mistake[] {
  const parameter = parameterOf(parameters, name)
  const say = (message: string): readonly Mistake[] => [{ path: ['step', ...path], message }]
  if (field === 'script') {
    // Bash counts by `$((n))`, and a name that is no parameter may be anything.
    if (parameter === undefined || text.endsWith('$')) return []
    return say(`((${name})) is never put into a script: give it a variable in \`environment\`, and use that`)
  }
  if (parameter === undefined) return say(`there is no parameter ${name}`)
  if (path.length === 1 && path[0] === 'kind') return say('the kind of a step is no matter of parameters')
  const isReference = parameter.type === 'secret' || (parameter.type === 'output' && field !== 'output')
  if (isReference && field !== 'environment' && field !== 'call')
    return say(`a parameter of type ${parameter.type} cannot stand here: what it refers to is known when a task runs`)
  return parameter.type === 'roles' && !whole && field === 'plain' ? say('a list of roles stands alone') : []
}

const unused = (parameters: Parameters, places: readonly Place[]): readonly Mistake[] =>
  Object.keys(parameters)
    .filter((name) => places.every((place) => place.name !== name || place.field === 'script'))
    .map((name) => ({ path: ['parameters', name], message: 'nothing in the step uses it' }))

const stepOf = ({ parameters, step }: Written, values: Values) =>
  Step.safeParse({ ...substituted(step, parameters, values), id: 'step' })

/** A mistake stays one when no value of the parameters that stand there puts it right. */
function bodyMistakes(template: Written, places: readonly Place[]): readonly Mistake[] {
  const { parameters } = template
  const wrong = (values: Values): readonly Mistake[] => {
    const { error } = stepOf(template, values)
    return error === undefined ? [] : mistakesOf(error)
  }
  return wrong(likeliest(parameters)).flatMap((mistake): readonly Mistake[] => {
    const names = namesAt(mistake.path, places)
    const path = ['step', ...mistake.path]
    if (names.length === 0) return [{ path, message: mistake.message }]
    for (const values of combinations(parameters, names))
      if (!wrong(values).some((other) => related(other.path, mistake.path))) return []
    const which = names.map((name) => `((${name}))`).join(' and ')
    return [{ path, message: `no value of ${which} fits here: ${mistake.message}` }]
  })
}
/** The parameters that stand at a place, in it or around it. */
export const namesAt = (path: readonly PropertyKey[], places: readonly Place[]): readonly string[] => [
  ...new Set(places.filter((place) => related(place.path, path)).map(({ name }) => name)),
]

const related = (a: readonly PropertyKey[], b: readonly PropertyKey[]) =>
  a.slice(0, b.length).every((key, at) => String(key) === String(b[at]))

/** Steps that the template may give, one for each value that a parameter may have. */
export function* possibleSteps(template: Written): Iterable<Step> {
  for (const values of variations(template.parameters)) {
    const { data } = stepOf(template, values)
    if (data !== undefined) yield data
  }
}
