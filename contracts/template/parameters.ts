import { z } from 'zod'
import { roles } from '../ids.ts'
import { outputReference } from '../steps/common.ts'
import { durationBetween, durationMaxMs } from '../units.ts'

const helpCharsMax = 500
const textCharsMax = 8 * 1024
const textCharsUnlessTold = 1_000
const optionsMax = 50

const common = {
  /** What it is for, for those who give it a value. */
  help: z.string().trim().min(1).max(helpCharsMax).optional(),
  required: z.boolean().default(false),
}
const asDuration = durationBetween(0, durationMaxMs)

const given = z.string('expected text: what looks like a number or a yes goes in quotes')

/** Named forms and no patterns: a pattern of somebody else's can keep a server busy for ever. */
const formats = {
  text: given,
  line: given.regex(/^[^\r\n]*$/, 'expected a single line'),
  /** Never begins with a dash, so that no program takes it for an option. */
  word: given
    .regex(/^[A-Za-z0-9_@%+=:,./-]+$/, 'expected one word of letters, digits and _ @ % + = : , . / -')
    .regex(/^[^-]/, 'a word begins with no dash'),
  path: given
    .regex(/^\/[^\r\n]*$/, 'expected a path that begins with /')
    .refine((path) => !path.split('/').includes('..'), 'a path has no .. in it'),
  address: given.regex(/^https?:\/\/[^\s/?#]+/, 'expected an address that begins with http:// or https://'),
} as const

/** A parameter of a template: its type, its limits, and what it is when nothing is given. */
export const Parameter = z.discriminatedUnion('type', [
  z.strictObject({
    ...common,
    type: z.literal('text'),
    format: z.enum(['text', 'line', 'word', 'path', 'address']).default('line'),
    charsMin: z.number().int().min(0).max(textCharsMax).default(0),
    charsMax: z.number().int().min(1).max(textCharsMax).default(textCharsUnlessTold),
    default: z.string().optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal('number'),
    whole: z.boolean().default(true),
    min: z.number().optional(),
    max: z.number().optional(),
    default: z.number().optional(),
  }),
  z.strictObject({ ...common, type: z.literal('boolean'), default: z.boolean().optional() }),
  z.strictObject({
    ...common,
    type: z.literal('choice'),
    options: z.array(z.string().min(1).max(100)).min(1).max(optionsMax).readonly(),
    default: z.string().optional(),
  }),
  z.strictObject({
    ...common,
    type: z.literal('duration'),
    minMs: asDuration.default(0),
    maxMs: asDuration.default(durationMaxMs),
    default: asDuration.optional(),
  }),
  z.strictObject({ ...common, type: z.literal('roles'), default: roles.optional() }),
  /** `<step>.<name>`: an output variable of an earlier step. */
  z.strictObject({ ...common, type: z.literal('output'), default: z.string().optional() }),
  /** The name of a variable of the project, sensitive or not. Its value is looked up when a task is handed out. */
  z.strictObject({ ...common, type: z.literal('secret'), default: z.string().optional() }),
])
export type Parameter = z.infer<typeof Parameter>
export type Value = string | number | boolean | readonly string[]

const choices = (options: readonly string[]) =>
  z.string().refine((given) => options.includes(given), `expected one of ${options.join(', ')}`)

/** What may be given for a parameter. */
export function argumentSchema(parameter: Parameter): z.ZodType<Value> {
  switch (parameter.type) {
    case 'text': {
      const { format, charsMin, charsMax } = parameter
      return formats[format]
        .min(charsMin, `expected at least ${charsMin} characters`)
        .max(charsMax, `expected at most ${charsMax} characters`)
    }
    case 'number': {
      const { whole, min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = parameter
      return (whole ? z.int('expected a whole number') : z.number('expected a number'))
        .min(min, `expected at least ${min}`)
        .max(max, `expected at most ${max}`)
    }
    case 'boolean':
      return z.boolean('expected true or false')
    case 'choice':
      return choices(parameter.options)
    case 'duration':
      return durationBetween(parameter.minMs, parameter.maxMs)
    case 'roles':
      return roles
    case 'output':
      return outputReference
    case 'secret':
      return z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'expected the name of a variable')
  }
}
