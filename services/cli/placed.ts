import { mistakesAt, type Source } from './document.ts'
import { CliError } from './exit.ts'
import type { ApiProblem } from './failure.ts'

/**
 * What the server found wrong, at its place in the file: by the field's path, or by the step that is named.
 * @param under where in the file that stands which was sent
 */
export function placed(source: Source, problem: ApiProblem, under: readonly string[] = []): CliError {
  if (problem.errors.length > 0) return mistakesAt(source, problem.errors, under)
  const [, stepId] = /\bstep ([a-z0-9][a-z0-9-]*):/.exec(problem.message) ?? []
  const index = stepsOf(source.value, under).findIndex((step) => step.id === stepId)
  if (index < 0) return problem
  const place = source.at([...under, 'steps', index])
  return new CliError(problem.exit, problem.code, `${place}: ${problem.message}`, problem.next)
}

function stepsOf(value: unknown, under: readonly string[]): readonly { readonly id?: string }[] {
  const inner = under.reduce<unknown>((outer, key) => (outer as Record<string, unknown> | undefined)?.[key], value)
  return (inner as { readonly steps?: readonly { readonly id?: string }[] } | undefined)?.steps ?? []
}
