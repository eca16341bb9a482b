import type { FastifyError, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { FieldError } from '../problem.ts'

const errorsMax = 50

/** What Zod leaves in a validation error of Fastify: the issue, taken apart. */
interface Issue {
  readonly keyword?: string
  readonly instancePath?: string
  readonly message?: string
  readonly params?: { readonly keys?: readonly string[]; readonly errors?: readonly (readonly z.core.$ZodIssue[])[] }
}

/** Every field that is wrong, where it stands (`body.roles.0`) and what is accepted there. */
export function fieldErrors(error: FastifyError, request: FastifyRequest): readonly FieldError[] {
  const part = error.validationContext ?? 'body'
  const issues: readonly Issue[] = error.validation ?? []
  return issues.slice(0, errorsMax).flatMap((issue) => {
    const path = [part, ...(issue.instancePath ?? '').split('/').filter(Boolean)].join('.')
    return spelledOut(path, issue, schemaOf(request, part))
  })
}

/** The same of what did not come over HTTP: `data.roles.0`, where `part` is `data`. */
export const issuesOf = ({ issues }: z.ZodError, part: string, schema: unknown): readonly FieldError[] =>
  issues
    .slice(0, errorsMax)
    .flatMap((issue) =>
      spelledOut(
        [part, ...issue.path.map(String)].join('.'),
        { keyword: issue.code, message: issue.message, params: issue as Issue['params'] & object },
        schema,
      ),
    )

function spelledOut(path: string, issue: Issue, schema: unknown): readonly FieldError[] {
  const { keyword, message = 'not accepted', params } = issue
  if (keyword === 'unrecognized_keys') {
    const known = path.includes('.') ? [] : fieldsOf(schema)
    const accepted = known.length === 0 ? 'it is not known here' : `accepted are ${known.join(', ')}`
    return (params?.keys ?? []).map((key) => ({ path: `${path}.${key}`, message: `Unknown field: ${accepted}` }))
  }
  // A union that fits nowhere only says so; the branch that fits best says what is missing.
  const branches = params?.errors ?? []
  if (keyword !== 'invalid_union' || branches.length === 0) return [{ path, message }]
  const nearest = branches.reduce((best, branch) => (branch.length < best.length ? branch : best))
  return nearest.map((inner) => ({ path: [path, ...inner.path].join('.'), message: inner.message }))
}

function schemaOf({ routeOptions }: FastifyRequest, part: string): unknown {
  const schema: Readonly<Record<string, unknown>> = { ...routeOptions.schema }
  return schema[part === 'headers' ? 'headers' : part]
}

const fieldsOf = (schema: unknown) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : [])
