import type { z } from 'zod'

/** A union of messages, each made by `fact` or `request`. */
export interface MessageUnion {
  readonly options: readonly MessageSchema[]
}

type MessageSchema = z.ZodType & {
  unwrap(): { readonly shape: { readonly type: { readonly value: string }; readonly data: z.ZodType } }
}

export interface MessageType {
  readonly type: string
  /** The message as a whole, and what it says beyond its type. */
  readonly schema: z.ZodType
  readonly data: z.ZodType
}

/** The types of message in a union, in the order in which they are declared. */
export const messagesOf = (union: MessageUnion): readonly MessageType[] =>
  union.options.map((schema) => {
    const { type, data } = schema.unwrap().shape
    return { type: type.value, schema, data }
  })
