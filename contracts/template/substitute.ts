import type { Parameter, Value } from './parameters.ts'

export type Parameters = Readonly<Record<string, Parameter>>
/** What each parameter is; one without a value is not in it. */
export type Values = ReadonlyMap<string, Value>
export type Body = Readonly<Record<string, unknown>>

/** Where `((name))` stands in a body, and whether it is all that stands there. */
export interface Place {
  readonly name: string
  readonly path: readonly PropertyKey[]
  readonly field: Field
  /** What stands there, to the end of it. */
  readonly text: string
  readonly whole: boolean
}

/**
 * What a place in a step does with a text: runs it, gives it to a script as a variable, calls it, reads an output by it,
 * or means it as it is.
 */
export type Field = 'script' | 'environment' | 'call' | 'output' | 'plain'

const placeholder = /\(\(([A-Za-z][A-Za-z0-9_]*)\)\)/g
const whole = /^\(\(([A-Za-z][A-Za-z0-9_]*)\)\)$/

const called: ReadonlySet<PropertyKey | undefined> = new Set(['url', 'headers', 'body'])

export function fieldAt({ kind }: Body, [first, second]: readonly PropertyKey[]): Field {
  if (kind === 'script' && first === 'script') return 'script'
  if (kind === 'script' && first === 'environment') return 'environment'
  if (kind === 'http' && called.has(first)) return 'call'
  return first === 'from' && second === 'output' ? 'output' : 'plain'
}

/** Every `((name))` in a body. */
export function placesIn(body: Body): readonly Place[] {
  const places: Place[] = []
  const look = (value: unknown, path: readonly PropertyKey[]): void => {
    if (Array.isArray(value)) for (const [at, item] of value.entries()) look(item, [...path, at])
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) look(inner, [...path, key])
    else if (typeof value === 'string')
      for (const { 1: name = '', index } of value.matchAll(placeholder))
        places.push({ name, path, field: fieldAt(body, path), text: value.slice(0, index), whole: whole.test(value) })
  }
  look(body, [])
  return places
}

/**
 * The body with the values of the parameters in place. What is nothing but `((name))` takes the value with its type;
 * elsewhere a value is text within text. What needs a parameter that has no value is left out. A script is never touched.
 */
export function substituted(body: Body, parameters: Parameters, values: Values): Body {
  const put = (value: unknown, path: readonly PropertyKey[]): unknown => {
    if (Array.isArray(value))
      return value.map((item, at) => put(item, [...path, at])).filter((item) => item !== undefined)
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, inner]) => {
          const now = put(inner, [...path, key])
          return now === undefined ? [] : [[key, now]]
        }),
      )
    if (typeof value !== 'string') return value
    const field = fieldAt(body, path)
    if (field === 'script') return value
    const [, only] = whole.exec(value) ?? []
    if ([...value.matchAll(placeholder)].some(([, name = '']) => !values.has(name))) return undefined
    if (only !== undefined && field === 'plain') return values.get(only)
    return value.replaceAll(placeholder, (_, name: string) =>
      textOf(parameterOf(parameters, name), values.get(name), field),
    )
  }
  return put(body, []) as Body
}

/** A name such as `constructor` is on every object, and no parameter for that. */
export const parameterOf = (parameters: Parameters, name: string): Parameter | undefined =>
  Object.hasOwn(parameters, name) ? parameters[name] : undefined

/** Values as text: lists by commas, durations in whole milliseconds. References become what each field reads as one. */
function textOf(parameter: Parameter | undefined, value: Value | undefined, field: Field): string {
  if (parameter === undefined || value === undefined) return ''
  const text = Array.isArray(value) ? value.join(',') : String(value)
  if (parameter.type === 'secret') return field === 'call' ? `\${${text}}` : `#{${text}}`
  if (parameter.type === 'output') return outputText(text, field)
  return field === 'call' ? text.replaceAll(reference, '$${$1}') : text
}

/** In a text, `#{NAME}` is a variable, as it is in the values of variables. A call writes that in another way. */
const reference = /(?<!#)#\{([A-Za-z_][A-Za-z0-9_]*)\}/g

function outputText(output: string, field: Field): string {
  if (field === 'environment') return `#{outputs.${output}}`
  if (field !== 'call') return output
  return `\${REMUDA_OUTPUT_${output.replaceAll(/[-.]/g, '_')}}`.toUpperCase()
}
