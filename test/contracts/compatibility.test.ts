import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readSchema } from '#contracts/describe/jsonSchema.ts'
import { breaches } from './compatibility.ts'

const text = z.string()
const shape = (fields: z.core.$ZodLooseShape) => z.object({ id: text, ...fields })
const union = (...kinds: string[]) =>
  z.discriminatedUnion(
    'kind',
    kinds.map((kind) => z.object({ kind: z.literal(kind), [kind]: text })) as unknown as [z.ZodObject, z.ZodObject],
  )
const between = (before: z.ZodType, now: z.ZodType) =>
  breaches({ Made: readSchema(before, 'draft-2020-12') }, { Made: readSchema(now, 'draft-2020-12') })

describe('a shape that was released is still read when', () => {
  it.each<[string, z.core.$ZodLooseShape, z.core.$ZodLooseShape]>([
    ['nothing changed', { a: z.int(), b: union('x', 'y') }, { a: z.int(), b: union('x', 'y') }],
    ['an optional field is added', {}, { a: text.optional() }],
    ['a field with a default is added', {}, { a: z.int().default(3) }],
    ['a required field has become optional', { a: text }, { a: text.optional() }],
    ['a field may be null as well', { a: text }, { a: text.nullable() }],
    ['an enumeration has one value more', { a: z.enum(['x', 'y']) }, { a: z.enum(['x', 'y', 'z']) }],
    ['an enumeration takes any text', { a: z.enum(['x', 'y']) }, { a: text }],
    ['a whole number may be any number', { a: z.int() }, { a: z.number() }],
    ['limits are wider', { a: z.int().min(1).max(5), b: text.max(9) }, { a: z.int().min(0).max(9), b: text.max(99) }],
    ['a pattern is gone', { a: text.regex(/^x/) }, { a: text }],
    ['an alternative is added', { a: union('x', 'y') }, { a: union('x', 'y', 'z') }],
    ['alternatives changed places', { a: union('x', 'y') }, { a: union('y', 'x') }],
    ['a list may be longer', { a: z.array(text).max(3) }, { a: z.array(text) }],
    [
      'a record takes more kinds of value',
      { a: z.record(text, z.int()) },
      { a: z.record(text, z.union([z.int(), text])) },
    ],
    ['fields are those of a record now', { a: z.object({ b: text }) }, { a: z.record(text, z.unknown()) }],
    ['anything goes now', { a: z.object({ b: text }) }, { a: z.unknown() }],
    ['a sentence or a default is another', { a: z.int().default(1) }, { a: z.int().default(2).describe('Two.') }],
  ])('%s', (_, before, now) => {
    expect(between(shape(before), shape(now))).toEqual([])
  })

  it('there is another type beside it', () => {
    expect(breaches({ Made: {} }, { Made: {}, Broken: {} })).toEqual([])
  })
})

describe('a released shape would not be read any more when', () => {
  it.each<[string, z.core.$ZodLooseShape, z.core.$ZodLooseShape, string]>([
    ['a field is added that is required', {}, { a: text }, 'Made.a has become required'],
    ['an optional field is required now', { a: text.optional() }, { a: text }, 'Made.a has become required'],
    [
      'a field with a default has none any more',
      { a: z.int().default(1) },
      { a: z.int() },
      'Made.a has become required',
    ],
    ['a field is gone', { a: text }, {}, 'Made.a is gone'],
    ['a field has another name', { a: text.optional() }, { b: text.optional() }, 'Made.a is gone'],
    ['a field is of another type', { a: text }, { a: z.int() }, 'Made.a was string and is integer'],
    ['any number must be whole now', { a: z.number() }, { a: z.int() }, 'Made.a was number and is integer'],
    ['a field may not be null any more', { a: text.nullable() }, { a: text }, 'Made.a was null and is string'],
    ['anything is only a text now', { a: z.unknown() }, { a: text }, 'Made.a was anything and is string'],
    ['an enumeration lost a value', { a: z.enum(['x', 'y']) }, { a: z.enum(['x']) }, 'Made.a no longer takes "y"'],
    [
      'a text is an enumeration now',
      { a: text },
      { a: z.enum(['x', 'y']) },
      'Made.a took any string and takes only x, y',
    ],
    ['a mark is another', { a: z.literal('x') }, { a: z.literal('y') }, 'Made.a no longer takes "x"'],
    ['a least value is higher', { a: z.int().min(0) }, { a: z.int().min(1) }, 'Made.a: minimum was 0 and is 1'],
    ['a text is limited', { a: text }, { a: text.max(5) }, 'Made.a: maxLength was not limited and is 5'],
    ['a list is shorter', { a: z.array(text).max(5) }, { a: z.array(text).max(4) }, 'Made.a: maxItems was 5 and is 4'],
    [
      'a list must hold something',
      { a: z.array(text) },
      { a: z.array(text).min(1) },
      'Made.a: minItems was not limited and is 1',
    ],
    ['a text needs a pattern', { a: text }, { a: text.regex(/^x/) }, 'Made.a: pattern was free and is ^x'],
    ['a pattern is another', { a: text.regex(/^y/) }, { a: text.regex(/^x/) }, 'Made.a: pattern was ^y and is ^x'],
    ['a text needs a format', { a: text }, { a: z.uuid() }, 'Made.a: format was free and is uuid'],
    [
      'an alternative is gone',
      { a: union('x', 'y', 'z') },
      { a: union('x', 'y') },
      'Made.a no longer takes object with kind "z"',
    ],
    [
      'an alternative is gone and one is left',
      { a: z.union([text, z.int()]) },
      { a: text },
      'Made.a was integer and is string',
    ],
    [
      'a field deep inside is narrowed',
      { a: z.array(shape({ b: text })) },
      { a: z.array(shape({ b: z.int() })) },
      'Made.a[].b was string and is integer',
    ],
    [
      'a field of one alternative is narrowed',
      { a: z.union([z.null(), shape({})]) },
      { a: z.union([z.null(), shape({ b: text })]) },
      'Made.a.b has become required',
    ],
    [
      'values of a record are narrowed',
      { a: z.record(text, text) },
      { a: z.record(text, z.int()) },
      'Made.a.* was string and is integer',
    ],
    [
      'names of a record are narrowed',
      { a: z.record(text, text) },
      { a: z.record(text.regex(/^x/), text) },
      'Made.a.* (name): pattern was free and is ^x',
    ],
    [
      'what a newer writer adds is refused',
      { a: shape({}) },
      { a: shape({}).strict() },
      'Made.a.* may no longer be there',
    ],
    [
      'a schema has words that nobody compares',
      { a: text },
      { a: z.tuple([text]) },
      'Made.a uses prefixItems, which this comparison does not understand',
    ],
  ])('%s', (_, before, now, sentence) => {
    expect(between(shape(before), shape(now))).toContain(sentence)
  })

  it('its type is gone', () => {
    expect(breaches({ Made: {}, Broken: {} }, { Made: {} })).toEqual(['Broken is no longer an event type'])
  })
})
