import type { z } from 'zod'

/** Something wrong in what was written: where it stands, and what is wrong with it. */
export interface Mistake {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Of a value that fits none of several shapes, the complaint of the shape that it comes closest to. */
export function innermost(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? []
  if (closest.length === 0) return [issue]
  return closest.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** What a schema found wrong, in words; a setting that there is none of is told at its name. */
export const mistakesOf = (error: z.core.$ZodError): readonly Mistake[] =>
  error.issues
    .flatMap(innermost)
    .flatMap((issue): readonly Mistake[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key], message: noSuchSetting }))
        : [{ path: issue.path, message: issue.message }],
    )

export const noSuchSetting = 'there is no such setting'
