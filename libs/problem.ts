import { z } from 'zod'
import { refusals, type RefusalCode } from '#contracts/refusals.ts'

export const problemType = 'application/problem+json'

/** What every error looks like on the wire: RFC 9457 problem details, with our code and the id of the request. */
export const Problem = z
  .object({
    type: z.string().describe('A reference to the kind of problem: /problems/ and the code.'),
    title: z.string().describe('What is wrong in general.'),
    status: z.int(),
    detail: z.string().describe('What is wrong in this case, and how to put it right.'),
    code: z.enum(Object.keys(refusals) as [RefusalCode, ...RefusalCode[]]).describe('Means one thing for ever.'),
    instance: z.string().describe('The address that was asked.'),
    requestId: z.string().describe('Finds the request in the logs.'),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>
export type FieldError = NonNullable<Problem['errors']>[number]

/** A refusal on its way to the one place that answers it; thrown where there is no answer to return, as in hooks. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly refused: RefusalCode
  readonly detail: string
  readonly errors: readonly FieldError[]
  readonly retryAfterMs: number | null

  constructor(
    refused: RefusalCode,
    detail: string,
    more: { errors?: readonly FieldError[]; retryAfterMs?: number } = {},
  ) {
    super(`${refused}: ${detail}`)
    this.refused = refused
    this.detail = detail
    this.errors = more.errors ?? []
    this.retryAfterMs = more.retryAfterMs ?? null
  }
}

/** The body that says a refusal to the one who asked. */
export function problemOf(refusal: Refused, asked: { readonly url: string; readonly id: string }): Problem {
  const { status, sentence } = refusals[refusal.refused]
  return {
    type: `/problems/${refusal.refused}`,
    title: sentence,
    status,
    detail: refusal.detail,
    code: refusal.refused,
    // Without the query, since an address is not the place where a secret would be looked for.
    instance: asked.url.split('?', 1)[0] ?? '',
    requestId: asked.id,
    ...(refusal.errors.length === 0 ? {} : { errors: [...refusal.errors] }),
  }
}
