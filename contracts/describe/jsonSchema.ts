import { z } from 'zod'

/** A JSON Schema, or any other part of a document: plain JSON. */
export type Json = Readonly<Record<string, unknown>>

/** JSON Schema 2020-12 for files of their own; draft 7 is what AsyncAPI documents are written in. */
export type Dialect = 'draft-2020-12' | 'draft-07'

/**
 * The JSON Schema of what is read: stored, or answered. Tolerant, since a newer writer may say more than is known here.
 * A field that an older writer may have left out, as it has a default, is not required.
 */
export const readSchema = (schema: z.ZodType, dialect: Dialect): Json =>
  plain(
    z.toJSONSchema(schema, {
      target: dialect,
      io: 'output',
      override: ({ zodSchema, jsonSchema }) => {
        const { def } = zodSchema._zod
        if (def.type !== 'object') return
        const { shape, catchall } = def as z.core.$ZodObjectDef
        if (catchall?._zod.def.type !== 'never') delete jsonSchema.additionalProperties
        const required = Object.keys(shape).filter((name) => shape[name]!._zod.optin === undefined)
        jsonSchema.required = required
      },
    }),
  )

/** The JSON Schema of what is asked: strict where the contract is, since a field that nobody knows is a mistake. */
export const askedSchema = (schema: z.ZodType, dialect: Dialect): Json =>
  plain(z.toJSONSchema(schema, { target: dialect, io: 'input' }))

/** Without what only means something inside of Remuda, such as that a value is not changed once it has been read. */
function plain(schema: object): Json {
  const { $schema: _, ...rest } = JSON.parse(JSON.stringify(schema, (key, value) => dropped(key, value))) as Json
  return rest
}

const dropped = (key: string, value: unknown): unknown =>
  (key === 'readOnly' && value === true) || (key === 'required' && Array.isArray(value) && value.length === 0)
    ? undefined
    : value
