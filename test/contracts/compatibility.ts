/** A JSON Schema, in the words that are used for events. */
export type Schema = Readonly<Record<string, unknown>>
export type Schemas = Readonly<Record<string, Schema>>

/**
 * In what today's shapes no longer take everything that was written under the released ones, one sentence for each.
 * Empty: whatever a released version stored is read today. Fields and types may be added and limits widened; nothing
 * may be taken away, become required or be narrowed.
 */
export const breaches = (released: Schemas, current: Schemas): readonly string[] =>
  Object.entries(released).flatMap(([type, before]) => {
    const now = current[type]
    return now === undefined ? [`${type} is no longer an event type`] : narrowed(type, before, now)
  })

const notes = new Set(['$schema', '$id', 'title', 'description', 'default', 'examples', 'deprecated'])
const alike = ['pattern', 'format', 'multipleOf', 'uniqueItems', 'contentEncoding']
const lower = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']
const upper = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']
const nested = ['properties', 'required', 'additionalProperties', 'propertyNames', 'items']
const known = new Set([...notes, ...alike, ...lower, ...upper, ...nested, 'type', 'enum', 'const', 'anyOf', 'oneOf'])

/** Every alternative of before must be taken by one of those there are now. */
function narrowed(path: string, before: Schema, now: Schema): readonly string[] {
  const candidates = alternativesOf(now)
  return alternativesOf(before).flatMap((one) => {
    const verdicts = candidates.map((candidate) => narrowedOne(path, one, candidate))
    if (verdicts.some((verdict) => verdict.length === 0)) return []
    const [only] = verdicts
    if (only !== undefined && verdicts.length === 1) return only
    // Among several, the one meant is that of the same kind; without such a one, the alternative is gone.
    const sameKind = candidates.findIndex((candidate) => kindOf(candidate) === kindOf(one))
    return verdicts[sameKind] ?? [`${path} no longer takes ${kindOf(one)}`]
  })
}

function alternativesOf(schema: Schema): readonly Schema[] {
  const { anyOf, oneOf, ...beside } = schema
  const several = (anyOf ?? oneOf) as readonly Schema[] | undefined
  if (several) return several.flatMap(alternativesOf).map((one) => ({ ...beside, ...one }))
  const { type } = schema
  // Limits beside null are limits of the other type.
  if (Array.isArray(type)) return type.map((one: string) => (one === 'null' ? { type: one } : { ...schema, type: one }))
  return [schema]
}

/** What tells an alternative from its neighbours, for people: its type and the fields that have one value only. */
function kindOf(schema: Schema): string {
  const { type, const: only } = schema
  if (only !== undefined) return JSON.stringify(only)
  const marks = Object.entries(propertiesOf(schema)).flatMap(([name, { const: value }]) =>
    value === undefined ? [] : [` with ${name} ${JSON.stringify(value)}`],
  )
  return `${type === undefined ? 'anything' : String(type)}${marks.join('')}`
}

function narrowedOne(path: string, before: Schema, now: Schema): readonly string[] {
  const unknown = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((word) => !known.has(word))
  if (unknown.length > 0)
    return unknown.map((word) => `${path} uses ${word}, which this comparison does not understand`)
  if (!takesType(before['type'], now['type'])) return [`${path} was ${kindOf(before)} and is ${kindOf(now)}`]
  return [
    ...values(path, before, now),
    ...limits(path, before, now),
    ...fields(path, before, now),
    ...parts(path, before, now),
  ]
}

const takesType = (before: unknown, now: unknown) =>
  now === undefined || now === before || (before === 'integer' && now === 'number')

/** The values of an enumeration, or the only one there is; undefined when any value of the type will do. */
const valuesOf = (schema: Schema): readonly unknown[] | undefined =>
  schema['const'] === undefined ? (schema['enum'] as readonly unknown[] | undefined) : [schema['const']]

function values(path: string, before: Schema, now: Schema): readonly string[] {
  const [were, are] = [valuesOf(before), valuesOf(now)]
  if (are === undefined) return []
  if (were === undefined) return [`${path} took any ${String(before['type'])} and takes only ${are.join(', ')}`]
  return were.filter((value) => !are.includes(value)).map((value) => `${path} no longer takes ${JSON.stringify(value)}`)
}

function limits(path: string, before: Schema, now: Schema): readonly string[] {
  const narrower = (word: string, isNarrower: (was: number | undefined, is: number) => boolean) => {
    const [was, is] = [before[word], now[word]] as [number | undefined, number | undefined]
    return is === undefined || !isNarrower(was, is) ? [] : [`${path}: ${word} was ${was ?? 'not limited'} and is ${is}`]
  }
  return [
    ...lower.flatMap((word) => narrower(word, (was, is) => was === undefined || is > was)),
    ...upper.flatMap((word) => narrower(word, (was, is) => was === undefined || is < was)),
    ...alike
      .filter((word) => now[word] !== undefined && now[word] !== before[word])
      .map((word) => `${path}: ${word} was ${String(before[word] ?? 'free')} and is ${String(now[word])}`),
  ]
}

const propertiesOf = (schema: Schema) => (schema['properties'] ?? {}) as Schemas
const requiredOf = (schema: Schema) => (schema['required'] ?? []) as readonly string[]

function fields(path: string, before: Schema, now: Schema): readonly string[] {
  const [were, are] = [propertiesOf(before), propertiesOf(now)]
  // What has no field of its own is a record, whose values are compared as such, or takes anything.
  const isOpen = now['properties'] === undefined
  const others = (now['additionalProperties'] ?? {}) as Schema
  const required = requiredOf(now).filter((name) => !requiredOf(before).includes(name))
  return [
    ...required.map((name) => `${path}.${name} has become required`),
    ...Object.entries(were).flatMap(([name, schema]) => {
      const is = are[name] ?? (isOpen ? others : undefined)
      return is === undefined ? [`${path}.${name} is gone`] : narrowed(`${path}.${name}`, schema, is)
    }),
  ]
}

/** What holds for every item of a list, every value and every name of a record. */
function parts(path: string, before: Schema, now: Schema): readonly string[] {
  const part = (word: string, place: string, any: Schema = {}) => {
    const [was, is] = [before[word] ?? any, now[word] ?? any] as (Schema | false)[]
    if (is === any || was === false) return []
    return is === false ? [`${place} may no longer be there`] : narrowed(place, was!, is!)
  }
  return [
    ...part('items', `${path}[]`),
    ...part('additionalProperties', `${path}.*`),
    ...part('propertyNames', `${path}.* (name)`, { type: 'string' }),
  ]
}
