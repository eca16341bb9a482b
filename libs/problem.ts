import type { Problem } from '#contracts/problem.ts'
import { refusals, type RefusalCode } from '#contracts/refusals.ts'

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
