import { mistakesAt, type Source } from './document.ts'
import { CliError } from './exit.ts'
import type { ApiProblem } from './failure.ts'

/** Each of what is wrong with steps begins by naming one, and, where it can, what of it. */
const between = /; (?=step [a-z0-9][a-z0-9-]*: )/
const aboutStep = /\bstep ([a-z0-9][a-z0-9-]*): (?:([A-Za-z]\w*(?:\.[\w-]+)*): )?/

/**
 * What the server found wrong, at its place in the file: by the field's path, or by the step that is named.
 * @param under where in the file that stands which was sent
 */
export function placed(source: Source, problem: ApiProblem, under: readonly PropertyKey[] = []): CliError {
  if (problem.errors.length > 0) return mistakesAt(source, problem.errors, under)
  const steps = stepsOf(source.value, under)
  const mistakes = problem.message.split(between).map((mistake) => {
    const [, stepId, field] = aboutStep.exec(mistake) ?? []
    const index = steps.findIndex((step) => step?.id === stepId)
    if (stepId === undefined || index < 0) return mistake
    const inside = field === undefined ? [] : field.split('.')
    return `${source.at([...under, 'steps', index, ...inside])}: ${mistake}`
  })
  return new CliError(problem.exit, problem.code, mistakes.join('\n  '), problem.next)
}

function stepsOf(value: unknown, under: readonly PropertyKey[]): readonly { readonly id?: string }[] {
  const inner = under.reduce<unknown>((outer, key) => (outer as Record<PropertyKey, unknown> | undefined)?.[key], value)
  return (inner as { readonly steps?: readonly { readonly id?: string }[] } | undefined)?.steps ?? []
}
