import type { Process, Variable } from '#contracts/process.ts'
import { ownNames } from './own.ts'
import { partsOf, referenceDepthMax } from './references.ts'
import { mayMeet } from './scope.ts'

const mistakesMax = 5

/** What would keep variables from ever having a value, in words, each with where it stands. */
export function variableMistakes(variables: readonly Variable[], { steps }: Process): readonly string[] {
  const known = new Set([...ownNames, ...variables.map(({ name }) => name)])
  const speaking = steps.filter(
    (step) => step.kind === 'script' || (step.kind === 'package' && step.script !== undefined),
  )
  const stepIds = new Set(speaking.map(({ id }) => id))
  const mistakes: string[] = []
  for (const [at, { name, value }] of variables.entries()) {
    const say = (what: string) => mistakes.push(`variables.${at}.value: ${name} ${what}`)
    for (const part of partsOf(value)) {
      if ('wrong' in part)
        say(`has ${part.wrong} in it: refer by #{NAME} or #{outputs.step.NAME}, and write ##{ for a plain #{`)
      else if ('variable' in part && !known.has(part.variable))
        say(`refers to #{${part.variable}}, and no variable has this name`)
      // Before a project has steps, its variables may be prepared for those that will come.
      else if ('output' in part && steps.length > 0 && !stepIds.has(part.output.stepId))
        say(`refers to what step ${part.output.stepId} says, and no script step has this id`)
    }
  }
  return [...mistakes, ...circles(variables)].slice(0, mistakesMax)
}

/** Ways from a variable back to itself, or too far on, through variables that can hold together. */
function circles(variables: readonly Variable[]): readonly string[] {
  const byName = Map.groupBy(variables, ({ name }) => name)
  /** How far each leads on. */
  const depths = new Map<Variable, number>()

  const depthOf = (variable: Variable, path: readonly Variable[]): number | string => {
    const known = depths.get(variable)
    if (known !== undefined) return known
    const way = [...path, variable]
    if (path.includes(variable)) return `${variable.name} refers to itself: ${way.map(({ name }) => name).join(' > ')}`
    let depth = 0
    for (const next of referredTo(variable, byName)) {
      const further = depthOf(next, way)
      if (typeof further === 'string') return further
      depth = Math.max(depth, further + 1)
    }
    if (depth > referenceDepthMax) return `${variable.name} leads on to others more than ${referenceDepthMax} times`
    depths.set(variable, depth)
    return depth
  }

  for (const [at, variable] of variables.entries()) {
    const found = depthOf(variable, [])
    if (typeof found === 'string') return [`variables.${at}.value: ${found}`]
  }
  return []
}

const referredTo = (variable: Variable, byName: ReadonlyMap<string, readonly Variable[]>): readonly Variable[] =>
  partsOf(variable.value)
    .flatMap((part) => ('variable' in part ? (byName.get(part.variable) ?? []) : []))
    .filter((other) => mayMeet(variable, other))
